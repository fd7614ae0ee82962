using System.Text.Json;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// A GPT Action takes answers of fewer than 100,000 characters. What is longer is cut where it stays readable, and says
/// so.
/// </summary>
public sealed class RestLimitTests
{
    private const int Limit = 100_000;

    [Theory]
    [InlineData("huge_list", "items", 10_000)]
    [InlineData("huge_bare_list", "result", 50_000)]
    public async Task A_long_list_is_cut_between_two_items(string tool, string list, int total)
    {
        var answer = await CallAsync(tool, 200);

        var kept = answer.GetProperty(list).GetArrayLength();
        Assert.InRange(kept, 100, total - 1);
        Assert.StartsWith($"Only the first {kept} of {total} items fit.", answer.GetProperty("truncated").GetString());
    }

    [Theory]
    [InlineData("x")]
    [InlineData("\n")]
    [InlineData("\"")]
    [InlineData("ж")]
    [InlineData("🛒")]
    public async Task A_long_text_is_cut_whatever_its_letters_are_written_as(string letter)
    {
        var text = (await CallAsync("huge_text", 200, letter)).GetProperty("result").GetString()!;

        var note = text.LastIndexOf("\n[cut:", StringComparison.Ordinal);
        Assert.True(note > 10_000, $"{note}");
        Assert.Equal(string.Concat(Enumerable.Repeat(letter, note / letter.Length)), text[..note]);
        Assert.Contains($"the first {note} of 200000 characters", text[note..]);
    }

    [Fact]
    public async Task A_long_text_of_what_nobody_sees_is_shown_and_cut()
    {
        var text = (await CallAsync("huge_text", 200, "\u0001")).GetProperty("result").GetString()!;

        Assert.StartsWith("\\u{1}\\u{1}", text);
        Assert.Contains("\n[cut:", text);
        Assert.InRange(text.Length, 10_000, 99_000);
    }

    [Fact]
    public async Task Long_parts_are_cut_and_the_short_ones_stay()
    {
        var content = (await CallAsync("huge_content", 200)).GetProperty("content");

        Assert.Contains("[cut:", content[0].GetProperty("text").GetString());
        Assert.Equal("the end", content[1].GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("huge_item", "name")]
    [InlineData("huge_title", "title")]
    public async Task A_long_member_is_truncated_and_the_answer_says_so(string tool, string member)
    {
        var answer = await CallAsync(tool, 200);

        Assert.Equal(32_001, answer.GetProperty(member).GetString()!.Length);
        Assert.Contains("Texts of more than 32000", answer.GetProperty("truncated").GetString());
    }

    [Fact]
    public async Task What_fits_is_not_cut() =>
        Assert.Equal(98_000, (await CallAsync("nearly_huge", 200)).GetProperty("result").GetString()!.Length);

    [Fact]
    public async Task The_limit_can_be_set()
    {
        var list = (await CallAsync("huge_list", 200, setting: ("Tools:MaxResultCharacters", "5000")))
            .GetProperty("items")
            .GetArrayLength();

        Assert.InRange(list, 50, 130);
    }

    private static async Task<JsonElement> CallAsync(
        string tool,
        int status,
        string? letter = null,
        params (string, string)[] setting
    )
    {
        await using var server = TestServer.Start(HugeTools.AddTo, setting);
        using var response = await server.PostAsync(
            "/tools/" + tool,
            JsonSerializer.Serialize(letter is null ? new { } : (object)new { of = letter })
        );
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.InRange(body.Length, 1, Limit - 1);
        return JsonElement.Parse(body);
    }
}
