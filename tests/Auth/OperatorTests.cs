using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Governance;

namespace MinimalMcp.Tests.Auth;

/// <summary>The sessions of operators, as a browser keeps them, and as attackers would use them.</summary>
[Slow]
public sealed class OperatorTests
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
        Reader = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga",
        Password = "correct horse battery staple";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_leads_to_the_sign_in_and_back_and_programs_get_401()
    {
        await using var server = Start();
        using var visitor = new Visitor(server);

        using var page = await visitor.GetAsync("/console/diagnostics?a=1");
        Assert.Equal((303, "../auth/sign-in?return=console%2Fdiagnostics%3Fa%3D1"), (page.Status(), page.Location()));
        using var program = await visitor.GetAsync("/diagnostics", accept: "application/json");
        Assert.Equal(
            (401, "application/problem+json"),
            (program.Status(), program.Content.Headers.ContentType!.MediaType)
        );
        using var api = await visitor.GetAsync("/api/v1/approvals");
        Assert.Equal(401, api.Status());

        using var done = await visitor.SignInAsync(Key, to: "console/diagnostics?a=1");
        Assert.Equal((303, "../console/diagnostics?a=1"), (done.Status(), done.Location()));
        var cookie = Assert.Single(done.Headers.GetValues("Set-Cookie"));
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        foreach (
            var path in (string[])
                ["/console", "/console/approvals", "/api/v1/approvals", "/api/v1/audit", "/api/v1/servers"]
        )
        {
            using var answer = await visitor.GetAsync(path);
            Assert.True(answer.IsSuccessStatusCode, path);
        }

        // A session is for pages, not for tools: those are called with keys and tokens.
        using var tools = await visitor.PostAsync("/mcp", """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");
        Assert.Equal(401, tools.Status());
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("\\evil")]
    [InlineData("javascript:alert(1)")]
    [InlineData("a/../../x")]
    [InlineData("data:text/html,x")]
    public async Task It_leads_to_no_other_site(string to)
    {
        await using var server = Start();
        using var visitor = new Visitor(server);
        using var done = await visitor.SignInAsync(Key, to: to);
        Assert.Equal("../console", done.Location());
    }

    [Fact]
    public async Task A_wrong_key_and_a_key_without_the_scope_open_nothing()
    {
        await using var server = Start();
        using var visitor = new Visitor(server);
        foreach (var (key, why) in ((string, string)[])[("wrong", "The key is not valid."), (Reader, "mcp:admin")])
        {
            using var refused = await visitor.SignInAsync(key);
            Assert.Equal(403, refused.Status());
            Assert.Contains(why, await refused.Content.ReadAsStringAsync(Stop));
            Assert.False(refused.Headers.Contains("Set-Cookie"));
        }

        for (var attempt = 0; ; attempt++)
        {
            using var wrong = await visitor.SignInAsync("wrong");
            if (wrong.Status() == 429)
            {
                break;
            }

            Assert.True(attempt < 100, "Nobody stops who guesses.");
        }
    }

    [Theory]
    [InlineData("POST", "/api/v1/approvals/1/approve")]
    [InlineData("POST", "/api/v1/approvals/1/deny")]
    [InlineData("POST", "/api/v1/servers")]
    [InlineData("PUT", "/api/v1/servers/1")]
    [InlineData("DELETE", "/api/v1/servers/1")]
    [InlineData("POST", "/api/v1/servers/1/start")]
    [InlineData("POST", "/api/v1/servers/1/stop")]
    [InlineData("POST", "/api/v1/servers/1/restart")]
    [InlineData("POST", "/auth/sign-out")]
    [InlineData("POST", "/auth/sign-in")]
    public async Task A_page_of_another_origin_can_do_nothing_with_a_session(string method, string path)
    {
        await using var server = Start();
        using var visitor = new Visitor(server);
        (await visitor.SignInAsync(Key)).Dispose();

        foreach (
            var (name, value) in ((string, string)[])
                [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Origin", "null")]
        )
        {
            using var foreign = await visitor.SendAsync(new(method), path, "{}", (name, value));
            Assert.Equal(403, foreign.Status());
        }

        using var still = await visitor.GetAsync("/console/diagnostics");
        Assert.Equal(200, still.Status());
    }

    [Fact]
    public async Task A_session_ends_at_the_sign_out_also_for_who_copied_the_cookie()
    {
        await using var server = Start();
        using var visitor = new Visitor(server);
        (await visitor.SignInAsync(Key)).Dispose();
        using var copy = new Visitor(server, visitor);

        using var ended = await visitor.PostAsync("/auth/sign-out", "");
        Assert.Equal((303, "sign-in"), (ended.Status(), ended.Location()));
        foreach (var one in (Visitor[])[visitor, copy])
        {
            using var page = await one.GetAsync("/console/diagnostics");
            Assert.Equal(303, page.Status());
        }
    }

    [Fact]
    public async Task A_session_ends_when_it_is_idle_and_at_its_absolute_end()
    {
        var time = new ShiftedTime();
        await using var server = Start(time);
        using var idle = new Visitor(server);
        (await idle.SignInAsync(Key)).Dispose();
        using var busy = new Visitor(server);
        (await busy.SignInAsync(Key)).Dispose();

        for (var minutes = 20; minutes < 12 * 60; minutes += 20)
        {
            time.Advance(TimeSpan.FromMinutes(20));
            using var page = await busy.GetAsync("/console/diagnostics");
            Assert.Equal(200, page.Status());
        }

        using var tooLate = await idle.GetAsync("/console/diagnostics");
        Assert.Equal(303, tooLate.Status());
        time.Advance(TimeSpan.FromMinutes(20));
        using var end = await busy.GetAsync("/console/diagnostics");
        Assert.Equal(303, end.Status());
    }

    [Fact]
    public async Task A_session_ends_with_its_key()
    {
        var time = new ShiftedTime();
        await using var server = Start(
            time,
            ("Auth:ApiKeys:short:Key", Reader.Replace('Z', 'Y')),
            ("Auth:ApiKeys:short:Scopes", "mcp:admin"),
            ("Auth:ApiKeys:short:Expires", DateTimeOffset.UtcNow.AddMinutes(15).ToString("O"))
        );
        using var visitor = new Visitor(server);
        (await visitor.SignInAsync(Reader.Replace('Z', 'Y'))).Dispose();
        using var before = await visitor.GetAsync("/console/diagnostics");
        Assert.Equal(200, before.Status());

        time.Advance(TimeSpan.FromMinutes(16));
        using var after = await visitor.GetAsync("/console/diagnostics");
        Assert.Equal(303, after.Status());
    }

    [Fact]
    public async Task In_mode_embedded_a_user_with_the_scope_signs_in()
    {
        await using var server = Start(
            null,
            ("Auth:Mode", "embedded"),
            ("Auth:Users:anna:Password", Password),
            ("Auth:Users:anna:Scopes", "mcp:admin"),
            ("Auth:Users:bert:Password", Password + "2"),
            ("Auth:Users:bert:Scopes", "mcp:read")
        );
        using var visitor = new Visitor(server);
        using var bert = await visitor.SignInAsync(Password + "2", user: "bert");
        Assert.Equal(403, bert.Status());
        using var anna = await visitor.SignInAsync(Password, user: "anna");
        Assert.Equal(303, anna.Status());
        using var page = await visitor.GetAsync("/console/approvals");
        Assert.Equal(200, page.Status());
    }

    [Fact]
    public async Task Without_authentication_pages_are_open_on_this_machine_only()
    {
        await using var server = TestServer.Start();
        using var visitor = new Visitor(server);
        foreach (var path in (string[])["/console/approvals", "/console/diagnostics"])
        {
            using var here = await visitor.GetAsync(path);
            Assert.Equal(200, here.Status());
            using var forwarded = await visitor.SendAsync(HttpMethod.Get, path, null, ("X-Forwarded-For", "8.8.8.8"));
            Assert.Equal(403, forwarded.Status());
        }

        using var nothing = await visitor.GetAsync("/auth/sign-in");
        Assert.Equal((303, "../console"), (nothing.Status(), nothing.Location()));
    }

    private static TestServer Start(ShiftedTime? time = null, params (string, string)[] settings) =>
        TestServer.Start(
            services => services.AddSingleton<TimeProvider>(time ?? new()),
            [
                ("Auth:Mode", "api-key"),
                ("Auth:ApiKeys:boss:Key", Key),
                ("Auth:ApiKeys:boss:Scopes", "mcp:admin"),
                ("Auth:ApiKeys:reader:Key", Reader),
                ("Auth:ApiKeys:reader:Scopes", "mcp:read"),
                .. settings,
            ]
        );
}
