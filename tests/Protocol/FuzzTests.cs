using System.Text;
using System.Text.Json;

namespace MinimalMcp.Tests.Protocol;

/// <summary>
/// Thousands of broken messages, always the same ones: the server never fails, never hangs, and always says something
/// readable.
/// </summary>
public sealed class FuzzTests
{
    private const int Rounds = 1000;

    private static readonly string[] Good =
    [
        Wire.Ping,
        """{"jsonrpc":"2.0","id":"a","method":"initialize","params":"""
            + """{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":"""
            + """{"name":"t","version":"1"}}}""",
        """{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":null}}""",
        """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"find_notes","arguments":"""
            + """{"query":"milk","limit":3},"_meta":{"progressToken":1}}}""",
        """{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"pick_note","arguments":"""
            + """{"code":"milk","copies":2}}}""",
        """{"jsonrpc":"2.0","id":5,"method":"prompts/get","params":{"name":"plan_notes","arguments":"""
            + """{"occasion":"tea"}}}""",
        """{"jsonrpc":"2.0","id":6,"method":"resources/read","params":{"uri":"notes://all"}}""",
        """{"jsonrpc":"2.0","id":7,"method":"completion/complete","params":{"ref":"""
            + """{"type":"ref/prompt","name":"plan_notes"},"argument":{"name":"topic","value":"h"}}}""",
        """{"jsonrpc":"2.0","id":8,"method":"logging/setLevel","params":{"level":"info"}}""",
        """{"jsonrpc":"2.0","id":9,"method":"server/discover","params":{"_meta":"""
            + """{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/"""
            + """clientCapabilities":{}}}}""",
        """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}""",
        """{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}""",
        """[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"prompts/list"}]""",
        """{"query":"milk","limit":3}""",
    ];

    private static readonly string[] Odd =
    [
        "null",
        "true",
        "-1",
        "1.5",
        "1e999",
        "9223372036854775808",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "[]",
        "{}",
        "[[[]]]",
        "{\"\":{}}",
        "\"tools/call\"",
        "\"2026-07-28\"",
    ];

    private static readonly string[] Versions =
    [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
        "2099-01-01",
        "",
    ];

    [Theory, InlineData("/mcp"), InlineData("/api/mcp/v1/call"), InlineData("/tools/find_notes")]
    public async Task Every_broken_message_gets_a_readable_answer(string path)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var session = await server.InitializeAsync("2025-03-26");
        await Parallel.ForAsync(
            0,
            Rounds,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = 8,
                CancellationToken = TestContext.Current.CancellationToken,
            },
            async (seed, _) =>
            {
                var random = new Random(seed);
                var body = Mutate(Good[random.Next(Good.Length)], random);
                var version = Versions[random.Next(Versions.Length)];
                (string, string)[] headers =
                [
                    .. version.Length > 0
                        ? (ReadOnlySpan<(string, string)>)
                            [("MCP-Protocol-Version", version), ("Mcp-Method", "tools/call")]
                        : [],
                    .. random.Next(3) == 0 ? (ReadOnlySpan<(string, string)>)[("Mcp-Session-Id", session!)] : [],
                ];

                using var response = await server.ResponseAsync(path, body, headers);
                var answer = await Wait.Soon(response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

                Assert.True(
                    (int)response.StatusCode < 500
                        && IsReadable(answer, response.Content.Headers.ContentType?.MediaType),
                    $"seed {seed}: {(int)response.StatusCode} {answer}\n{Encoding.UTF8.GetString(body)}"
                );
            }
        );
        Assert.Equal(200, (await server.McpAsync("tools/list")).Status);
    }

    private static bool IsReadable(string answer, string? type)
    {
        try
        {
            foreach (
                var json in type == "text/event-stream"
                    ? answer
                        .Split('\n')
                        .Where(line => line.StartsWith("data: ", StringComparison.Ordinal))
                        .Select(line => line[6..])
                : answer.Length > 0 ? [answer]
                : []
            )
            {
                JsonElement.Parse(json);
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static byte[] Mutate(string good, Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(random.Next(3) > 0 ? Restructure(good, random) : good).ToList();
        for (var i = random.Next(random.Next(2) == 0 ? 1 : 6); i > 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 12), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Odd[random.Next(Odd.Length)]));
                    break;
            }
        }

        return [.. bytes];
    }

    // Still JSON, but not what stood there: one value is another, is gone, or has a new neighbour.
    private static string Restructure(string good, Random random)
    {
        var places = System.Text.RegularExpressions.Regex.Matches(
            good,
            """(?<=:)("[^"]*"|[0-9]+|null|\{\}|\{[^{}]*\})"""
        );
        var place = places[random.Next(places.Count)];
        var odd = Odd[random.Next(Odd.Length)];
        return random.Next(4) switch
        {
            0 => good.Remove(place.Index, place.Length).Insert(place.Index, Good[random.Next(Good.Length)]),
            1 => good.Insert(place.Index + place.Length, $",\"extra\":{odd}"),
            _ => good.Remove(place.Index, place.Length).Insert(place.Index, odd),
        };
    }
}
