using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.ChatGpt;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Monitoring;
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
    public async Task ChatGPT_and_a_GPT_Action_connect_with_a_key_alone_and_the_console_shows_exactly_what_they_did()
    {
        var (time, seen) = (new ShiftedTime(), new SeenRequests());
        await using var server = Start("embedded", services =>
            services.AddSingleton<TimeProvider>(time).AddSingleton<IStartupFilter>(seen)
        );

        var (exitCode, output, errors) = await Shell.RunAsync(
            $"scripts/check-chatgpt {server.BaseUrl}/mcp --client-id my-action --client-secret {Secret} "
                + $"--documents-port {FreePort.Find()}",
            ("MCP_API_KEY", Key)
        );

        Assert.True(exitCode == 0, output + errors);
        var passed = Regex.Match(output, @"\n(\d+) of \1 checks passed\.");
        Assert.InRange(int.Parse(passed.Groups[1].Value, CultureInfo.InvariantCulture), 90, int.MaxValue);

        Assert.Equal(["functions", "http", "rest"], seen.Calls.Order());
        var sessions = await ShownActivity.SessionsAsync(server, Key);
        Assert.Equal(
            (string[])
                [
                    "chatgpt - functions - 1 caller",
                    "chatgpt - http 2025-11-25 1 caller",
                    "chatgpt - rest - 1 caller",
                    .. seen.Sessions.Select(_ => "chatgpt openai-mcp http 2025-11-25 0 session"),
                ],
            sessions.Select(ShownActivity.Line).Order()
        );
        Assert.Equal(
            seen.Sessions.Order(),
            sessions.Select(one => ShownActivity.Text(one, "id")).Where(id => !id.StartsWith("caller-")).Order()
        );

        // Refused credentials are written once a minute, with the number of the others in the next.
        time.Advance(TimeSpan.FromMinutes(1));
        using var another = new HttpRequestMessage(HttpMethod.Get, "/api/v1/sessions");
        another.Headers.Authorization = new("Bearer", "another-wrong-key-Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3");
        (await server.Http.SendAsync(another, TestContext.Current.CancellationToken)).Dispose();
        var refused = await RefusedAsync(server);
        var events = await ShownActivity.ActivityAsync(server, Key, events =>
            refused.All(reason =>
                reason.Value == events.Where(one => Detail(one, "outcome") == $"refused: {reason.Key}").Sum(CountOf)
            )
        );
        Assert.All(["wrong_key", "invalid_grant", "invalid_client"], reason => Assert.True(refused[reason] > 1));
        Assert.Equal(
            seen.Sessions,
            events.Where(one => TypeOf(one) == "session_created").Select(one => Detail(one, "session"))
        );
        Assert.Equal(
            seen.Calls.Select(surface => $"get_topics ok {surface}"),
            events
                .Where(one => TypeOf(one) == "tool_called")
                .Select(one => $"{Detail(one, "tool")} {Detail(one, "outcome")} {Detail(one, "surface")}")
        );
        Assert.Equal(seen.SignIns, events.Count(one => TypeOf(one) == "sign_in" && Detail(one, "outcome") == "ok"));
        Assert.All(events, one =>
            Assert.Contains(TypeOf(one), (string[])["session_created", "tool_called", "sign_in"])
        );

        static string TypeOf(JsonElement one) => ShownActivity.Text(one, "type");
        static string Detail(JsonElement one, string name) => ShownActivity.Text(one.GetProperty("metadata"), name);
        static int CountOf(JsonElement one) =>
            Detail(one, "count") is var count and not "-" ? int.Parse(count, CultureInfo.InvariantCulture) : 1;
    }

    // By reason, as they are counted.
    private static async Task<Dictionary<string, int>> RefusedAsync(TestServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new("Bearer", Key);
        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return Regex
            .Matches(text, @"mcp_auth_attempts_total\{outcome=""(\w+)""\} (\d+)")
            .Where(line => line.Groups[1].Value != "ok")
            .ToDictionary(
                line => line.Groups[1].Value,
                line => int.Parse(line.Groups[2].Value, CultureInfo.InvariantCulture)
            );
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

    private static TestServer Start(string mode, Action<IServiceCollection>? more = null) =>
        TestServer.Start(
            services =>
            {
                more?.Invoke(services);
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
