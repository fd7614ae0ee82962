using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Governance;

/// <summary>Text that somebody else wrote: what nobody sees is shown, and what is long has a bound.</summary>
[Slow]
public sealed class HostileTextTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Code points in hexadecimal, and whether they are shown.</summary>
    public static TheoryData<string, string, bool> Texts =>
        new()
        {
            { "escape", "41 1B 5B 32 4A 42", true },
            { "bell, NUL, DEL", "41 07 00 7F 42", true },
            { "C1 control", "41 9B 32 4A 42", true },
            { "bidirectional override", "41 202E 62 61 202C 42", true },
            { "bidirectional isolate", "41 2066 62 2069 42", true },
            { "line and paragraph separator", "41 2028 42 2029", true },
            { "zero width space and joiners between Latin letters", "41 200B 42 200D 43 200C 44", true },
            { "word joiner and invisible operators", "41 2060 2061 2063 42", true },
            { "byte-order mark", "FEFF 41", true },
            { "tag characters", "41 E0041 E0042 E007F", true },
            { "bytes in variation selectors", "1F600 E0148 E0155 E0159", true },
            { "a chain of variation selectors", "1F600 FE0F FE01 FE02", true },
            { "Hangul filler", "41 3164 42", true },
            { "left-to-right mark in Latin text", "41 200E 42", true },
            { "ordinary", "44 61 73 20 69 73 74 20 DF 2E A 9 D", false },
            { "soft hyphen", "53 69 6C AD 62 65", false },
            { "family emoji with joiners", "1F468 200D 1F469 200D 1F467 200D 1F466", false },
            { "heart on fire", "2764 FE0F 200D 1F525", false },
            { "keycap and skin tone", "31 FE0F 20E3 20 1F44D 1F3FD", false },
            { "flag of England", "1F3F4 E0067 E0062 E0065 E006E E0067 E007F", false },
            { "Persian with a non-joiner", "645 6CC 200C 62E 648 627 647 645", false },
            { "Hindi with a joiner", "915 94D 200D 937", false },
            { "Hebrew with a mark", "5E9 200F 5DC", false },
            { "Japanese variant", "845B E0100", false },
            { "Arabic number sign", "600 661", false },
        };

    [Theory, MemberData(nameof(Texts))]
    public async Task What_nobody_sees_is_shown_in_every_answer(string name, string points, bool isShown)
    {
        Assert.NotEmpty(name);
        var runes = points
            .Split(' ')
            .Select(point => new Rune(int.Parse(point, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        var text = string.Concat(runes);
        await using var server = TestServer.Start(services =>
            services.AddSingleton(new ToolType(typeof(HostileTools)))
        );
        var asked = JsonSerializer.Serialize(new { text });

        foreach (
            var tool in (string[])
                [
                    "hostile_text",
                    "hostile_object",
                    "hostile_blocks",
                    "hostile_failure",
                    "hostile_resource",
                    "hostile_error",
                ]
        )
        {
            using var rest = await server.PostAsync("/tools/" + tool, asked);
            using var function = await server.PostAsync(
                "/api/mcp/v1/call",
                $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{tool}}}","arguments":"""
                    + $$$"""{{{asked}}}}}"""
            );
            var mcp = await server.McpAsync("tools/call", new { name = tool, arguments = new { text } });
            var modern = await server.McpAsync(
                "tools/call",
                new { name = tool, arguments = new { text } },
                version: "2026-07-28"
            );
            foreach (
                var answer in (string[])
                    [
                        await rest.Content.ReadAsStringAsync(Stop),
                        await function.Content.ReadAsStringAsync(Stop),
                        mcp.Message.GetRawText(),
                        modern.Message.GetRawText(),
                    ]
            )
            {
                var strings = Strings(JsonElement.Parse(answer)).ToArray();
                if (isShown)
                {
                    Assert.DoesNotContain(strings, said => said.Contains(text, StringComparison.Ordinal));
                    Assert.Contains(strings, said => said.Contains("\\u{", StringComparison.Ordinal));
                    Assert.True(
                        tool == "hostile_resource"
                            || strings.Any(said => said.Contains("invisible", StringComparison.Ordinal))
                    );
                }
                else
                {
                    Assert.Contains(strings, said => said.Contains(text, StringComparison.Ordinal));
                    Assert.DoesNotContain(strings, said => said.Contains("\\u{", StringComparison.Ordinal));
                }
            }
        }
    }

    [Theory, InlineData("simple"), InlineData("json"), InlineData("systemd")]
    public async Task The_log_has_no_character_that_moves_a_cursor(string formatter)
    {
        await using var server = ServerProcess.Start(["--stdio", "--Logging:Console:FormatterName=" + formatter]);
        var call = Wire.Call("get_deals", new Dictionary<string, int> { ["\u001b[2J\u202e\u009b"] = 1 });
        await server.SendAsync($"{call.ToJsonString()}\n");
        Assert.True((await server.ReceiveAsync()).GetProperty("result").GetProperty("isError").GetBoolean());

        var (_, _, log) = await server.EndAsync();

        Assert.Contains("Tool call refused get_deals stdio", log);
        Assert.Equal(formatter == "json", log.Contains("\"LogLevel\":\"Information\"", StringComparison.Ordinal));
        Assert.DoesNotContain(log, character => character is '\u001b' or '\u202e' or '\u009b');
        Assert.Matches(formatter == "simple" ? @"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z" : "", log);
    }

    [Fact]
    public async Task A_refusal_has_a_bound_in_the_answer_the_audit_and_the_log()
    {
        var log = new CapturedLog();
        await using var server = TestServer.Start(services => services.AddSingleton<ILoggerProvider>(log));
        var many = "{" + string.Join(',', Enumerable.Range(0, 200_000).Select(n => $"\"argument{n}\":1")) + "}";

        using var answer = await server.PostAsync("/tools/search_products", many);
        using var wide = await server.PostAsync(
            "/tools/search_products",
            "{\"query\":{\"" + new string('x', 1_000_000) + "\":1}}"
        );

        Assert.Equal((400, 400), ((int)answer.StatusCode, (int)wide.StatusCode));
        Assert.InRange((await answer.Content.ReadAsStringAsync(Stop)).Length, 100, 8_000);
        Assert.Contains("199995 more unknown arguments", await answer.Content.ReadAsStringAsync(Stop));
        Assert.InRange((await wide.Content.ReadAsStringAsync(Stop)).Length, 100, 8_000);
        await Wait.Until(async () =>
            (await server.GetJsonAsync("/api/v1/audit")).GetProperty("rows").GetArrayLength() == 2
        );
        Assert.InRange((await server.GetJsonAsync("/api/v1/audit")).GetRawText().Length, 100, 50_000);
        Assert.All(log.Lines, line => Assert.InRange(line.Text.Length, 1, 4_000));
    }

    /// <summary>Every text in it, names of members included.</summary>
    internal static IEnumerable<string> Strings(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.String => [json.GetString()!],
            JsonValueKind.Array => json.EnumerateArray().SelectMany(Strings),
            JsonValueKind.Object => json.EnumerateObject()
                .SelectMany(member => Strings(member.Value).Append(member.Name)),
            _ => [],
        };
}

internal static class HostileTools
{
    [McpServerTool(Name = "hostile_text", ReadOnly = true), Description("Says it.")]
    public static string Text(string text) => text;

    [
        McpServerTool(Name = "hostile_object", ReadOnly = true, UseStructuredContent = true),
        Description("Says it in an object.")
    ]
    public static Said Object(string text) => new("it", [new Dictionary<string, string> { ["said"] = text }]);

    [McpServerTool(Name = "hostile_blocks", ReadOnly = true), Description("Says it in blocks.")]
    public static IEnumerable<ContentBlock> Blocks(string text) =>
        [new TextContentBlock { Text = "it" }, new TextContentBlock { Text = text }];

    [McpServerTool(Name = "hostile_resource", ReadOnly = true), Description("Says it in a resource.")]
    public static ContentBlock Resource(string text) =>
        new EmbeddedResourceBlock
        {
            Resource = new TextResourceContents { Uri = "test://it", Text = text },
        };

    [McpServerTool(Name = "hostile_error", ReadOnly = true), Description("Fails with it in blocks.")]
    public static CallToolResult Error(string text) =>
        new() { IsError = true, Content = [new TextContentBlock { Text = text }] };

    [McpServerTool(Name = "hostile_failure", ReadOnly = true), Description("Fails with it.")]
    public static string Failure(string text) => throw new McpException(text);

    internal sealed record Said(string Name, IReadOnlyList<IReadOnlyDictionary<string, string>> Items);
}
