using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MinimalMcp.Tests.Auth;
using MinimalMcp.Tests.Auth.Provider;
using MinimalMcp.Tests.Hub;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page on which callers store their own secrets for other servers, reached without any scope.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class ConnectionsPageTests(Browser browser)
{
    private const string Markup = "<img src=x onerror=alert(1)>",
        Secret = "s3cret-of-a-caller",
        Password = "correct horse battery staple";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ColorScheme.Light, 1280, "connections-light")]
    [InlineData(ColorScheme.Dark, 390, "connections-dark-narrow")]
    public async Task A_secret_is_stored_replaced_and_deleted(ColorScheme colors, int width, string name)
    {
        await using var hub = RegisteredServers.Start(PerCallerServer.Callers);
        await hub.SendAsync(
            "POST",
            "",
            new
            {
                name = "tracker",
                description = $"The tracker of the team {Markup}",
                transport_type = "http",
                url = "http://127.0.0.1:9/mcp",
                auth_type = "per_caller",
            }
        );
        await hub.AddAsync("plain", new("http://127.0.0.1:9/mcp"));
        await using var visit = await browser.OpenAsync(hub.Server, "/connections", colors, width);
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script ran.");
        Assert.EndsWith("/auth/sign-in?return=connections", page.Url);
        await page.GetByLabel("Your key of this server").FillAsync(PerCallerServer.Alice);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Your connections");
        await Expect(page.GetByText("Signed in as alice")).ToBeVisibleAsync();
        var tracker = page.GetByRole(AriaRole.Region, new() { Name = "tracker" });
        await Expect(tracker).ToContainTextAsync(Markup);
        await Expect(tracker).ToContainTextAsync("No secret is stored.");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "plain" })).ToHaveCountAsync(0);

        await StoreAsync("Store");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your secret was stored.");
        await Expect(tracker).ToContainTextAsync("A secret is stored, since 2");
        Assert.DoesNotContain(Secret, await page.ContentAsync());
        await CheckAsync(visit, name);
        await StoreAsync("Replace");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your secret was stored.");

        // Somebody else has none.
        using var bob = new Visitor(hub.Server);
        (await bob.SignInAsync(PerCallerServer.Bob, to: "connections")).Dispose();
        using var other = await bob.GetAsync("/connections");
        Assert.Contains("No secret is stored.", await other.Content.ReadAsStringAsync(Stop));

        await tracker.GetByLabel("Your secret for tracker").FillAsync("no header has \u00e9");
        await tracker.GetByRole(AriaRole.Button, new() { Name = "Replace the secret for tracker" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("no HTTP header may have");
        await CheckAsync(visit, name + "-problem", "status of 422");
        await tracker.GetByRole(AriaRole.Button, new() { Name = "Delete the secret for tracker" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your secret was deleted.");
        await Expect(tracker).ToContainTextAsync("No secret is stored.");

        await page.GotoAsync("/console");
        await Expect(page.GetByLabel("A key with the scope mcp:admin")).ToBeVisibleAsync();
        await page.GotoAsync("/connections");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("Your key of this server")).ToBeVisibleAsync();
        await page.GotoAsync("/connections");
        await Expect(page.GetByLabel("Your key of this server")).ToBeVisibleAsync();

        async Task StoreAsync(string action)
        {
            await tracker.GetByLabel("Your secret for tracker").FillAsync(Secret);
            await tracker.GetByRole(AriaRole.Button, new() { Name = $"{action} the secret for tracker" }).ClickAsync();
        }
    }

    [Fact]
    public async Task A_person_of_the_identity_provider_without_an_admin_role_comes_to_this_page_only()
    {
        await using var entra = await FakeEntra.StartAsync();
        entra.IdToken = claims => claims["roles"] = new System.Text.Json.Nodes.JsonArray("Readers");
        await using var server = entra.StartServer(out var here);
        await using var visit = await browser.OpenAsync(here, "/connections");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with Contoso" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Your connections");
        await Expect(page.GetByText($"Signed in as {FakeEntra.V2}|")).ToBeVisibleAsync();
        await page.GotoAsync("/dashboard");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Sign in with Contoso" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_session_without_the_scope_is_good_for_this_page_only_and_ends_with_its_password_or_key()
    {
        var time = new Auth.Server.ShiftedTime();
        await using var server = TestServer.Start(
            services => services.AddSingleton<TimeProvider>(time),
            ("Auth:Mode", "embedded"),
            ("Auth:ApiKey", RegisteredServers.Key),
            ("Auth:ApiKeys:short:Key", PerCallerServer.Alice),
            ("Auth:ApiKeys:short:Scopes", "mcp:read"),
            ("Auth:ApiKeys:short:Expires", DateTimeOffset.UtcNow.AddMinutes(15).ToString("O")),
            ("Auth:Users:mia:Password", Password),
            ("Auth:Users:mia:Scopes", "mcp:read mcp:write")
        );
        using var mia = new Visitor(server);
        using var refused = await mia.SignInAsync(Password, "mia", "console");
        Assert.Equal(403, refused.Status());
        using var done = await mia.SignInAsync(Password, "mia", "connections");
        Assert.Equal((303, "../connections"), (done.Status(), done.Location()));
        using var page = await mia.GetAsync("/connections");
        Assert.Contains("Signed in as <strong>mia</strong>", await page.Content.ReadAsStringAsync(Stop));
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self';", policy);
        Assert.Contains("form-action 'self'", policy);
        foreach (var path in (string[])["/console", "/diagnostics"])
        {
            using var closed = await mia.GetAsync(path);
            Assert.Equal(303, closed.Status());
        }

        foreach (var path in (string[])["/api/v1/servers", "/api/v1/keys", "/api/v1/audit", "/tools", "/status"])
        {
            using var closed = await mia.GetAsync(path, "application/json");
            Assert.True(closed.Status() == 401, $"{path} {closed.Status()}");
        }

        using var holder = new Visitor(server);
        (await holder.SignInAsync(PerCallerServer.Alice, to: "connections")).Dispose();
        using var before = await holder.GetAsync("/connections");
        Assert.Equal(200, before.Status());
        time.Advance(TimeSpan.FromMinutes(16));
        using var after = await holder.GetAsync("/connections");
        Assert.Equal((303, "auth/sign-in?return=connections"), (after.Status(), after.Location()));
        // A form of a page that stayed open leads to the sign-in, too.
        using var late = await holder.SendAsync(
            HttpMethod.Post,
            "/connections",
            "{}",
            ("Accept", "text/html"),
            ("Origin", server.BaseUrl)
        );
        Assert.Equal((303, "auth/sign-in?return=connections"), (late.Status(), late.Location()));
    }

    private static async Task CheckAsync(Visit visit, string name, string? allowed = null)
    {
        await visit.ScreenshotAsync(name);
        Assert.True(
            await visit.Page.EvaluateAsync<bool>(
                "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            ),
            $"{name} is wider than the screen"
        );
        Assert.Empty(await Axe.ViolationsAsync(visit.Page));
        Assert.All(visit.Problems, problem => Assert.Contains(allowed ?? "(no problem)", problem));
    }
}
