using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>What a language model reads about this server at <c>/llms.txt</c>.</summary>
public sealed class LlmsTextTests
{
    [Fact]
    public async Task It_has_the_addresses_and_the_tools_with_their_first_sentence()
    {
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Server:PublicUrl", "https://notes.example/tools"),
            ("Server:Name", "Notes"),
            ("Server:Description", "Notes of the office.")
        );

        var text = await TextAsync(server);

        Assert.StartsWith("# Notes\n\n> Notes of the office.\n", text);
        Assert.Contains("](https://notes.example/tools/mcp)", text);
        Assert.Contains("](https://notes.example/tools/openapi.json)", text);
        Assert.Contains("\n## Tools: notes\n", text);
        Assert.Contains("\n- find_notes (read-only): Finds notes by their words.\n", text);
        Assert.Contains("\n- pick_note: Puts a note on the caller's list.\n", text);
    }

    [Fact]
    public async Task It_names_no_surface_that_is_disabled_and_no_tool_that_is_denied()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("mode", "rest"), ("Governance:Deny", "pick_note"));

        var text = await TextAsync(server);

        Assert.DoesNotContain("/mcp)", text);
        Assert.DoesNotContain("pick_note", text);
    }

    private static Task<string> TextAsync(TestServer server) =>
        server.Http.GetStringAsync(new Uri("/llms.txt", UriKind.Relative), TestContext.Current.CancellationToken);
}
