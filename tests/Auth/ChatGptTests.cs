using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.ChatGpt;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Auth;

/// <summary>
/// A program that behaves like ChatGPT (tests/ChatGpt, which scripts/check-chatgpt runs against any address) finds
/// nothing to trip over.
/// </summary>
[Slow(Minutes = true)]
public sealed class ChatGptTests
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
        Secret = "hT5wZ8rQ2mX7cV4kN9bL6pD3fG1jS0yA";

    [Fact]
    public async Task ChatGPT_and_a_GPT_Action_connect_to_a_server_that_has_a_key_alone()
    {
        var documents = FreePort.Find();
        await using var server = Start("embedded");

        var made = await CheckAsync(
            server,
            "--key",
            Key,
            "--client-id",
            "my-action",
            "--client-secret",
            Secret,
            "--documents-port",
            $"{documents}"
        );

        Assert.InRange(made, 90, int.MaxValue);
    }

    [Fact]
    public async Task ChatGPT_reads_without_signing_in_and_signs_in_to_write()
    {
        await using var server = Start("mixed");

        var made = await CheckAsync(server, "--key", Key);

        Assert.InRange(made, 60, int.MaxValue);
    }

    [Fact]
    public async Task ChatGPT_finds_no_sign_in_where_there_is_none()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        Assert.InRange(await CheckAsync(server), 9, int.MaxValue);
    }

    [Theory]
    [InlineData("/mcp", 0, "9 of 9 checks passed.")]
    [InlineData("/nothing", 1, "FAILED")]
    [InlineData("", 1, "FAILED")]
    [InlineData("/mcp --kye x", 2, "scripts/check-chatgpt https://")]
    public async Task The_script_says_what_it_found(string arguments, int expected, string line)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var (exitCode, output, errors) = await Shell.RunAsync($"scripts/check-chatgpt {server.BaseUrl}{arguments}");

        Assert.True(exitCode == expected, output + errors);
        Assert.Contains(line, output + errors);
    }

    // What fails here is shown by name, with what was seen.
    private static async Task<int> CheckAsync(TestServer server, params string[] options)
    {
        using var output = new StringWriter();
        var (made, failed) = await Checks.RunAsync([server.BaseUrl + "/mcp", .. options], output);
        TestContext.Current.TestOutputHelper!.WriteLine(output.ToString());
        Assert.Empty(failed);
        return made;
    }

    private static TestServer Start(string mode) =>
        TestServer.Start(
            services =>
            {
                NotesTools.Alone(services);
                // the documents are on this machine
                services.AddKeyedSingleton("clients", new SafeFetch(UrlSource.Test));
            },
            ("Auth:Mode", mode),
            ("Auth:ApiKey", Key),
            ("Auth:Server:ClientId", "my-action"),
            ("Auth:Server:ClientSecret", Secret),
            ("Auth:Server:RedirectUri", "https://chat.openai.com/aip/g-0123456789/oauth/callback")
        );
}
