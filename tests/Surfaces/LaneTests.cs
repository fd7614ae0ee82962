using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>A client cannot tell which lane answered.</summary>
[Slow]
public sealed class LaneTests
{
    // Both name it in their serverInfo.
    private static readonly (string, string) SameAddress = ("Server:PublicUrl", "https://mcp.example.com");

    public static TheoryData<string, string, string> Requests
    {
        get
        {
            var requests = new TheoryData<string, string, string>();
            foreach (var version in (string[])["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])
            {
                requests.Add("initialize", JsonSerializer.Serialize(Way.Hello(version)), version);
                requests.Add("ping", "{}", version);
            }

            requests.Add("initialize", JsonSerializer.Serialize(Way.Hello("1999-01-01")), "2025-11-25");
            requests.Add("initialize", "{}", "2025-11-25");
            requests.Add("initialize", "{}", "2026-07-28");
            requests.Add("ping", "{}", "2026-07-28");
            requests.Add("server/discover", "{}", "2026-07-28");
            requests.Add("server/discover", "{}", "2025-11-25");
            foreach (var version in (string[])["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])
            {
                requests.Add("tools/list", "{}", version);
                requests.Add("tools/list", """{"cursor":"x"}""", version);
                requests.Add("tools/call", """{"name":"echo","arguments":{"text":"hello"}}""", version);
                requests.Add("tools/call", """{"name":"echo","arguments":{}}""", version);
                requests.Add("tools/call", """{"name":"picture"}""", version);
                requests.Add("tools/call", """{"name":"say","arguments":null}""", version);
                requests.Add("tools/call", """{"name":"gives_up"}""", version);
                requests.Add("tools/call", """{"name":"ekho"}""", version);
                requests.Add("tools/call", """{"name":"echo","arguments":[]}""", version);
                requests.Add("tools/call", """{"name":7}""", version);
                requests.Add("tools/call", "{}", version);
                requests.Add("no/such", "{}", version);
            }

            return requests;
        }
    }

    [Theory, MemberData(nameof(Requests))]
    public async Task Both_lanes_give_the_same_answer(string method, string parameters, string version)
    {
        await using var fast = TestServer.Start(FixtureTools.AddTo, SameAddress);
        await using var full = TestServer.Start(FixtureTools.AddTo, SameAddress, ("Mcp:DirectPath", "false"));

        var (a, b) = (await AskAsync(fast), await AskAsync(full));

        Assert.Equal(a.Status, b.Status);
        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(a.Message.GetRawText()), JsonNode.Parse(b.Message.GetRawText())),
            $"fast: {a.Message}\nfull: {b.Message}"
        );

        Task<McpAnswer> AskAsync(TestServer server) => server.McpAsync(method, JsonNode.Parse(parameters), version);
    }
}
