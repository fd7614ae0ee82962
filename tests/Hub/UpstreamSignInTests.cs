using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Auth.Server;

namespace MinimalMcp.Tests.Hub;

/// <summary>Our own server in mode embedded is the server at which an operator signs in.</summary>
[Slow]
public sealed partial class UpstreamSignInTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_signs_in_once_and_tokens_are_renewed_silently()
    {
        var time = new ShiftedTime();
        await using var upstream = await SignInUpstream.StartAsync(time);
        await using var hub = RegisteredServers.Start(services => services.AddSingleton<TimeProvider>(time));
        var id = await upstream.RegisterAsync(hub);
        var page = $"{hub.Server.BaseUrl}/api/v1/servers/{id}/sign-in";
        Assert.Equal($"an operator must sign in there first, at {page}", await hub.BecomesAsync(id, "needs_sign_in"));
        Assert.Empty(upstream.Front.Requests); // nothing was sent
        using var start = await hub.Server.Http.PostAsync($"/api/v1/servers/{id}/start", null, Stop);
        Assert.Equal(HttpStatusCode.Conflict, start.StatusCode);
        Assert.Contains(page, await start.Content.ReadAsStringAsync(Stop));

        await upstream.SignInAsync(hub, id);
        await hub.BecomesAsync(id, "active");
        await CallsAsync(hub);
        Assert.Equal(1, upstream.Tokens);

        // Before the token ends, and however many calls there are, it is renewed once.
        time.Advance(TimeSpan.FromMinutes(57));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CallsAsync(hub)));
        Assert.Equal(2, upstream.Tokens);

        // Once after a 401.
        var refusals = 0;
        upstream.Fault = (http, body) =>
            Answer(http, body.Contains("tools/call") && Interlocked.Increment(ref refusals) == 1, 401, "");
        await CallsAsync(hub);
        Assert.Equal((2, 3), (refusals, upstream.Tokens));
        Assert.DoesNotContain(upstream.Front.Requests, request => request.Line.Contains(RegisteredServers.Key));
    }

    [Fact]
    public async Task Without_a_good_refresh_token_nothing_is_sent_until_somebody_signs_in_again()
    {
        await using var upstream = await SignInUpstream.StartAsync();
        await using var hub = RegisteredServers.Start();
        var id = await upstream.RegisterAsync(hub);
        await upstream.SignInAsync(hub, id);
        await hub.BecomesAsync(id, "active");

        upstream.Fault = (http, body) =>
            http.Request.Path == "/auth/token"
                ? Answer(http, true, 400, """{"error":"invalid_grant"}""")
                : Answer(http, http.Request.Path == "/mcp", 401, "");
        await hub.CallAsync("notes_find_notes", new { query = "oat" });
        var reason = await hub.BecomesAsync(id, "needs_sign_in");
        Assert.Contains($"/api/v1/servers/{id}/sign-in", reason);
        var sent = upstream.Front.Requests.Count;
        Assert.Contains("notes_find_notes", await hub.ToolsAsync());
        var refused = await hub.CallAsync("notes_find_notes", new { query = "oat" });
        Assert.Contains(
            $"'notes' needs a sign-in: an operator must sign in there first, at {hub.Server.BaseUrl}",
            refused.Text
        );
        Assert.Equal(sent, upstream.Front.Requests.Count);

        upstream.Fault = (_, _) => Task.FromResult(false);
        await upstream.SignInAsync(hub, id);
        await hub.BecomesAsync(id, "active");
        await CallsAsync(hub);
    }

    [Fact]
    public async Task A_server_that_refuses_a_renewed_token_needs_a_sign_in_too()
    {
        await using var upstream = await SignInUpstream.StartAsync();
        await using var hub = RegisteredServers.Start();
        var id = await upstream.RegisterAsync(hub);
        await upstream.SignInAsync(hub, id);
        await hub.BecomesAsync(id, "active");
        upstream.Fault = (http, _) => Answer(http, http.Request.Path == "/mcp", 401, "");
        await hub.CallAsync("notes_find_notes", new { query = "oat" });
        await hub.BecomesAsync(id, "needs_sign_in");
        Assert.Equal(2, upstream.Tokens);
    }

    [Fact]
    public async Task Tokens_survive_an_authorization_server_that_is_away_and_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("hub-sign-in");
        var store = ("Storage:Path", Path.Combine(folder.FullName, "hub.db"));
        await using var upstream = await SignInUpstream.StartAsync();
        long id;
        await using (var hub = RegisteredServers.Start(store))
        {
            id = await upstream.RegisterAsync(hub);
            await upstream.SignInAsync(hub, id);
            await hub.BecomesAsync(id, "active");
            upstream.Fault = (http, body) =>
                Answer(http, http.Request.Path == "/auth/token", 503, "").Result
                    ? Task.FromResult(true)
                    : Answer(http, body.Contains("tools/call"), 401, "");
            var failed = await hub.CallAsync("notes_find_notes", new { query = "oat" });
            Assert.Contains("our token could not be renewed: its authorization server answered 503", failed.Text);
            Assert.Equal(0, (await hub.SendAsync("GET", $"/{id}")).GetProperty("restart_count").GetInt32());
            upstream.Fault = (_, _) => Task.FromResult(false);
            await CallsAsync(hub);
        }

        // The write-ahead log first: it goes when the last connection closes, and the database has all of it then.
        foreach (var file in (string[])["hub.db-wal", "hub.db"])
        {
            try
            {
                var bytes = await File.ReadAllBytesAsync(Path.Combine(folder.FullName, file), Stop);
                Assert.DoesNotContain("eyJ", Encoding.Latin1.GetString(bytes)); // how a JWT begins
            }
            catch (FileNotFoundException) when (file.EndsWith("-wal", StringComparison.Ordinal))
            {
                // it is gone
            }
        }

        var before = upstream.Tokens;
        await using (var hub = RegisteredServers.Start(store))
        {
            await hub.BecomesAsync(id, "active");
            await CallsAsync(hub);
            Assert.Equal(before, upstream.Tokens);

            // Another address is another resource.
            await hub.SendAsync("PUT", $"/{id}", new { url = $"{upstream.Front.Url}other" });
            await hub.BecomesAsync(id, "needs_sign_in");
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Replicas_renew_a_token_once()
    {
        var folder = Directory.CreateTempSubdirectory("hub-sign-in");
        var time = new ShiftedTime();
        var store = ("Storage:Path", Path.Combine(folder.FullName, "hub.db"));
        await using var upstream = await SignInUpstream.StartAsync(time);
        await using (var one = RegisteredServers.Start(services => services.AddSingleton<TimeProvider>(time), store))
        await using (var two = RegisteredServers.Start(services => services.AddSingleton<TimeProvider>(time), store))
        {
            var id = await upstream.RegisterAsync(one);
            await upstream.SignInAsync(one, id); // which the other one notices
            await one.BecomesAsync(id, "active");
            await Wait.Until(async () => (await two.SendAsync("GET", "")).GetArrayLength() == 1);
            await two.BecomesAsync(id, "active");
            time.Advance(TimeSpan.FromMinutes(57));
            await Task.WhenAll(CallsAsync(one), CallsAsync(two), CallsAsync(one), CallsAsync(two));
            Assert.Equal(2, upstream.Tokens);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_sign_in_is_finished_once_in_time_and_in_its_browser()
    {
        var time = new ShiftedTime();
        await using var upstream = await SignInUpstream.StartAsync(time);
        await using var hub = RegisteredServers.Start(services => services.AddSingleton<TimeProvider>(time));
        var id = await upstream.RegisterAsync(hub);

        var callback = await upstream.AllowAsync(await SignInUpstream.BeginAsync(hub, id));
        var changed = callback.ToString().Replace("iss=", "iss=x", StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync(new(changed))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync(callback)).Status); // it was used

        callback = await upstream.AllowAsync(await SignInUpstream.BeginAsync(hub, id));
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Contains("longer than ten minutes", (await GetAsync(callback)).Text);
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync(new(hub.Server.Url, callback.AbsolutePath))).Status);

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/servers/{id}/sign-in");
        request.Headers.Accept.ParseAdd("text/html");
        request.Headers.Authorization = new("Bearer", RegisteredServers.Key);
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        browser.BaseAddress = hub.Server.Url;
        using var redirect = await browser.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.Redirect, redirect.StatusCode);
        var cookie = redirect.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        callback = await upstream.AllowAsync(redirect.Headers.Location!);
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync(callback)).Status); // another browser

        using var again = new HttpRequestMessage(HttpMethod.Get, request.RequestUri);
        again.Headers.Accept.ParseAdd("text/html");
        again.Headers.Authorization = request.Headers.Authorization;
        using var second = await browser.SendAsync(again, Stop);
        callback = await upstream.AllowAsync(second.Headers.Location!);
        cookie = second.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var (status, text) = await GetAsync(callback, cookie);
        Assert.True(status is HttpStatusCode.OK, text);
        await hub.BecomesAsync(id, "active");
    }

    [Fact]
    public async Task A_sign_in_needs_an_operator_and_a_server_that_has_one()
    {
        await using var hub = RegisteredServers.Start(
            ("Auth:ApiKeys:writer:Key", OAuthServer.ReaderKey),
            ("Auth:ApiKeys:writer:Scopes", "mcp:read mcp:write")
        );
        var id = await hub.AddAsync("plain", new("http://127.0.0.1:9/mcp"));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/servers/{id}/sign-in");
        request.Headers.Authorization = new("Bearer", OAuthServer.ReaderKey);
        using var refused = await hub.Server.Http.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var none = await hub.Server.Http.GetAsync(
            new Uri($"/api/v1/servers/{id}/sign-in", UriKind.Relative),
            Stop
        );
        Assert.Equal(HttpStatusCode.Conflict, none.StatusCode);
    }

    private static async Task CallsAsync(RegisteredServers hub)
    {
        var found = await hub.CallAsync("notes_find_notes", new { query = "oat" });
        Assert.False(found.IsError, found.Message.ToString());
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(Uri url, string? cookie = null)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        using var answer = await http.SendAsync(request, Stop);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private static async Task<bool> Answer(HttpContext http, bool answers, int status, string body)
    {
        if (answers)
        {
            http.Response.StatusCode = status;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(body, http.RequestAborted);
        }

        return answers;
    }

    /// <summary>The upstream in mode embedded, behind a front that counts its tokens.</summary>
    private sealed class SignInUpstream(FaultyFront front, OAuthServer server) : IAsyncDisposable
    {
        public FaultyFront Front => front;

        public int Tokens => front.Requests.Count(request => request.Line.StartsWith("POST /auth/token"));

        public Func<HttpContext, string, Task<bool>> Fault
        {
            set => front.Fault = value;
        }

        public static async Task<SignInUpstream> StartAsync(TimeProvider? time = null)
        {
            var front = await FaultyFront.StartAsync();
            var server = OAuthServer.Start(
                services => services.AddSingleton(time ?? TimeProvider.System),
                ("Server:PublicUrl", front.Url.ToString().TrimEnd('/'))
            );
            front.Target = server.Server.Url;
            return new(front, server);
        }

        public Task<long> RegisterAsync(RegisteredServers hub) =>
            hub.AddAsync("notes", new(front.Url, "/mcp"), auth: "oauth");

        public static async Task<Uri> BeginAsync(RegisteredServers hub, long id) =>
            new((await hub.SendAsync("GET", $"/{id}/sign-in")).GetProperty("authorization_url").GetString()!);

        /// <summary>What the person in the browser does; gives where the page sends the browser back.</summary>
        public async Task<Uri> AllowAsync(Uri authorization)
        {
            using var page = await server.GetAsync(authorization.PathAndQuery);
            var html = await page.Content.ReadAsStringAsync(Stop);
            Assert.True(page.StatusCode == HttpStatusCode.OK, html + page.Headers.Location);
            using var answer = await server.AnswerAsync(Ticket().Match(html).Groups[1].Value);
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            return answer.Headers.Location!;
        }

        public async Task SignInAsync(RegisteredServers hub, long id)
        {
            var (status, text) = await GetAsync(await AllowAsync(await BeginAsync(hub, id)));
            Assert.True(status is HttpStatusCode.OK, text);
            Assert.Contains("Signed in. Server 'notes' connects now", text);
        }

        public async ValueTask DisposeAsync()
        {
            await front.DisposeAsync();
            await server.DisposeAsync();
        }
    }

    [GeneratedRegex("name=\"ticket\" value=\"([^\"]+)\"")]
    private static partial Regex Ticket();
}
