using System.Net;
using Microsoft.Playwright;
using MinimalMcp.Tests.Pages;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>The page that asks, in a browser.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class ConsentPageTests(Browser browser)
{
    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 375)]
    public async Task Says_who_asks_for_what_and_where_the_answer_goes(ColorScheme colors, int width)
    {
        await using var oauth = OAuthServer.Start();
        var client = await oauth.RegisterAsync(OAuthServer.Loopback);

        await using var visit = await browser.OpenAsync(
            oauth.Server,
            oauth.AuthorizeAddress(
                client,
                ("redirect_uri", OAuthServer.Loopback),
                ("scope", "mcp:read mcp:write mcp:execute offline_access")
            ),
            colors,
            width
        );
        await visit.ScreenshotAsync($"consent-{colors}-{width}".ToLowerInvariant());

        var page = visit.Page;
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("ChatGPT");
        foreach (
            var said in (string[])
                [
                    client,
                    "registered itself; the name is not verified",
                    "127.0.0.1:4321",
                    "a program on this computer",
                    "Read data",
                    "Create and change data",
                    "Stay connected",
                ]
        )
        {
            await Assertions.Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync(said);
        }

        await Assertions.Expect(page.GetByLabel("The key of this server")).ToHaveAttributeAsync("type", "password");
        Assert.True(
            await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
            "the page is wider than the window"
        );
        Assert.Equal(0, await page.Locator("script").CountAsync());
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task Works_with_the_keyboard_alone_and_without_scripts_and_a_wrong_key_can_be_mended()
    {
        await using var oauth = OAuthServer.Start();
        await using var visit = await OpenAsync(oauth, scripts: false);
        var page = visit.Page;
        var answer = await CatchAsync(page);

        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync("wrong");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("is not valid");
        await Assertions.Expect(page.GetByLabel("The key of this server")).ToHaveAttributeAsync("aria-invalid", "true");
        await visit.ScreenshotAsync("consent-wrong");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync(OAuthServer.Key);
        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Allow" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");

        Assert.Matches(
            "[?&]code=[^&]{43}&state=s%26t%3D1&iss=",
            await answer.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task Cancel_needs_no_key_and_tells_the_client()
    {
        await using var oauth = OAuthServer.Start();
        await using var visit = await OpenAsync(oauth);
        var answer = await CatchAsync(visit.Page);

        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        Assert.Contains(
            "error=access_denied",
            await answer.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task With_people_it_asks_for_a_name_as_well()
    {
        await using var oauth = OAuthServer.Start(("Auth:Users:ann:Password", "correct horse battery"));
        await using var visit = await OpenAsync(oauth);
        var answer = await CatchAsync(visit.Page);
        await visit.ScreenshotAsync("consent-people");

        await visit.Page.GetByLabel("Your name").FillAsync("ann");
        await visit.Page.GetByLabel("Your password").FillAsync("correct horse battery");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Allow" }).ClickAsync();

        Assert.Contains("code=", await answer.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_page_of_somebody_else_cannot_answer_in_the_browser_of_the_person()
    {
        await using var oauth = OAuthServer.Start();
        await using var attacker = oauth.Visitor();
        await using var visit = await OpenAsync(oauth);
        var ticket = await visit.Page.Locator("input[name=ticket]").InputValueAsync();
        var stolen = await attacker.OpenPageAsync("public");

        foreach (var (name, value) in new[] { ("the person's own", ticket), ("the attacker's", stolen) })
        {
            // The attacker's page, at another origin, with a form that posts here.
            await visit.Page.RouteAsync("https://evil.example/**", route =>
                route.FulfillAsync(
                    new()
                    {
                        ContentType = "text/html",
                        Body =
                            $"""<form method="post" action="{oauth.Issuer}/auth/authorize"><input name="ticket" """
                            + $"""value="{value}"><input name="password" value="{OAuthServer.Key}"><button """
                            + $"""name="decision" value="allow">win</button></form>""",
                    }
                )
            );
            await visit.Page.GotoAsync("https://evil.example/");
            var refused = await visit.Page.RunAndWaitForResponseAsync(
                () => visit.Page.ClickAsync("button"),
                answer => answer.Url.EndsWith("/auth/authorize", StringComparison.Ordinal)
            );
            Assert.True(refused.Status == 403, $"{name}: {refused.Status}");
            await visit.Page.UnrouteAllAsync();
        }
    }

    [Fact]
    public async Task Cannot_be_put_into_a_frame_kept_or_told_of()
    {
        await using var oauth = OAuthServer.Start();
        using var question = await oauth.GetAsync(oauth.AuthorizeAddress("public"));
        using var problem = await oauth.GetAsync("/auth/authorize");

        foreach (var page in new[] { question, problem })
        {
            var policy = page.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("frame-ancestors 'none'", policy);
            Assert.Contains("default-src 'none'", policy);
            Assert.Contains("base-uri 'none'", policy);
            Assert.Equal("DENY", page.Headers.GetValues("X-Frame-Options").Single());
            Assert.Equal("no-referrer", page.Headers.GetValues("Referrer-Policy").Single());
            Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.True(page.Headers.CacheControl!.NoStore);
        }

        Assert.Contains(
            "form-action 'self' https://chatgpt.com;",
            question.Headers.GetValues("Content-Security-Policy").Single() + ";"
        );
        Assert.Contains("form-action 'none'", problem.Headers.GetValues("Content-Security-Policy").Single());
        var cookie = question.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=lax", cookie);
    }

    [Fact]
    public async Task Over_https_the_cookie_is_of_this_host_alone_and_what_a_client_says_of_itself_is_text()
    {
        await using var oauth = OAuthServer.Start(
            ("Server:PublicUrl", "https://mcp.example.com"),
            ("Auth:Server:Clients:odd:RedirectUris", OAuthServer.ChatGpt),
            ("Auth:Server:Clients:odd:Name", "<img src=x onerror=alert(1)>\"'")
        );

        using var page = await oauth.GetAsync(oauth.AuthorizeAddress("odd"));
        var html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Matches(
            "^__Host-oauth=[^;]{43}; path=/; secure; samesite=lax; httponly$",
            page.Headers.GetValues("Set-Cookie").Single()
        );
        Assert.DoesNotContain("<img src=x", html);
        Assert.Contains("&lt;img src=x", html);
        using var again = await oauth.GetAsync(oauth.AuthorizeAddress("odd"));
        Assert.False(again.Headers.Contains("Set-Cookie")); // two tabs share it
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    private async Task<Visit> OpenAsync(OAuthServer oauth, bool scripts = true) =>
        await browser.OpenAsync(oauth.Server, oauth.AuthorizeAddress("public"), scripts: scripts);

    // Where the browser is sent; nothing leaves this machine.
    private static async Task<Task<string>> CatchAsync(IPage page)
    {
        const string Client = "https://chatgpt.com/";
        var caught = new TaskCompletionSource<string>();
        // Not every browser lets a redirect be answered here, but each tells of it.
        page.Request += (_, request) =>
        {
            if (request.Url.StartsWith(Client, StringComparison.Ordinal))
            {
                caught.TrySetResult(request.Url);
            }
        };
        await page.RouteAsync(Client + "**", route => route.FulfillAsync(new() { Body = "back at the client" }));
        return caught.Task;
    }
}
