namespace MinimalMcp.Tests.Clients;

/// <summary>
/// Clients that other people wrote, against the running server. Each script stops at the first thing that is wrong.
/// </summary>
[Slow]
public sealed class RealClientTests
{
    [Theory]
    [InlineData("sdk1.mjs")]
    [InlineData("client2.mjs")]
    [InlineData("inspector.mjs")]
    [InlineData("mcp-remote.mjs")]
    [InlineData("guide.py")]
    public async Task Works(string script)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var program = Path.GetExtension(script) == ".py" ? Needs.Python() : ClientProcess.Node;
        var (exitCode, output) = await ClientProcess.RunAsync(program, [script, server.BaseUrl]);

        Assert.True(exitCode == 0, output);
    }
}
