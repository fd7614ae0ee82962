using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The same call gives the same result and the same kind of failure, whichever way it comes.</summary>
public sealed class ParityTests(ParityTests.Servers servers) : IClassFixture<ParityTests.Servers>
{
    public static TheoryData<string, string> GoodCalls => new(Cases.Good.Concat(Cases.Shapes));

    public static TheoryData<string, string, FailureKind> BadCalls => new(Cases.Bad);

    [Theory, MemberData(nameof(GoodCalls))]
    public async Task A_good_call_gives_the_same_value_everywhere(string tool, string arguments)
    {
        foreach (var (way, answer) in await CallEverywhereAsync(tool, arguments, fillCart: tool == "checkout"))
        {
            Assert.True(answer.Failure is null, $"{way}: {answer.Failure}");
        }
    }

    [Theory, MemberData(nameof(BadCalls))]
    public async Task A_bad_call_gives_the_same_sentence_and_class_everywhere(string tool, string arguments, FailureKind kind)
    {
        foreach (var (way, answer) in await CallEverywhereAsync(tool, arguments))
        {
            Assert.True(answer.Class == way.ClassOf(kind), $"{way}: expected {way.ClassOf(kind)}, got {answer}");
            Assert.DoesNotContain("hunter2", answer.Failure);
        }
    }

    [Fact]
    public async Task An_unknown_tool_is_refused_with_near_names_everywhere()
    {
        foreach (var way in servers.Ways.Where(way => way.ToString() != "sse")) // its client throws; TransportParityTests reads the bare message
        {
            var answer = await way.CallAsync("ann", "serch_products", []);

            Assert.Equal("Unknown tool 'serch_products'. Did you mean search_products?", answer.Failure);
            Assert.Equal(way.ToString() == "rest" ? "404" : "-32602", answer.Class);
        }
    }

    [Fact]
    public async Task A_caller_without_the_scope_is_refused_everywhere()
    {
        foreach (var way in servers.Ways)
        {
            var answer = await way.CallAsync("ann mcp:read", "add_to_cart", new() { ["productCode"] = "milk" });

            Assert.Contains("mcp:write", answer.Failure);
            Assert.Equal(way.ClassOf(FailureKind.Refused), answer.Class);
        }
    }

    [Fact]
    public async Task Every_tool_of_the_product_is_compared()
    {
        await using var server = TestServer.Start();

        var tools = (await server.GetJsonAsync("/tools")).GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()!);

        Assert.Equal(tools.Order(), Cases.Good.Select(call => call.Tool).Distinct().Order());
    }

    private async Task<List<(Way Way, Answer Answer)>> CallEverywhereAsync(string tool, string arguments, bool fillCart = false)
    {
        var parsed = JsonNode.Parse(arguments)!.AsObject();
        var answers = new List<(Way Way, Answer Answer)>();
        foreach (var way in servers.Ways)
        {
            var caller = $"{tool}-{Guid.NewGuid():N}";
            if (fillCart)
            {
                await way.CallAsync(caller, "add_to_cart", new() { ["productCode"] = "bagels" });
            }

            answers.Add((way, await way.CallAsync(caller, tool, parsed)));
        }

        foreach (var (way, answer) in answers)
        {
            Assert.True(answer.Comparable == answers[0].Answer.Comparable, $"{way}: {answer.Comparable}\n{answers[0].Way}: {answers[0].Answer.Comparable}");
        }

        return answers;
    }

    /// <summary>One server for each lane, with the fixture tools.</summary>
    public sealed class Servers : IAsyncDisposable
    {
        private static readonly (string, string)[] Deadlines = [("Tools:Deadlines:slow", "00:00:00.05"), ("Tools:Deadlines:deaf", "00:00:00.05")];

        private readonly TestServer _fast = Start();
        private readonly TestServer _full = Start(("Mcp:FastLane", "false"));

        public Servers() => Ways =
        [
            Way.Rest(_fast),
            Way.Functions(_fast),
            Way.Functions(_full),
            .. from version in (string[])["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]
               from lane in ((TestServer Server, string Name)[])[(_fast, "fast"), (_full, "full")]
               select Way.Mcp(lane.Server, $"{version}, {lane.Name} lane", version),
            Way.Mcp(_fast, "fast lane with a session", "2025-11-25", session: true),
            Way.Mcp(_full, "full lane with a session", "2025-11-25", session: true),
            Way.Sse(_fast),
        ];

        internal IReadOnlyList<Way> Ways { get; }

        public async ValueTask DisposeAsync()
        {
            await _fast.DisposeAsync();
            await _full.DisposeAsync();
        }

        private static TestServer Start(params (string, string)[] settings) => TestServer.Start(
            services =>
            {
                FixtureTools.AddTo(services);
                TestCaller.AddTo(services);
            },
            [.. Deadlines, .. settings]);
    }
}
