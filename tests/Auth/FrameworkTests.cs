using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using MinimalMcp.Outgoing;
using MinimalMcp.Pages;
using MinimalMcp.Pages.Console;
using MinimalMcp.Storage;
using MinimalMcp.Surfaces;
using MinimalMcp.Surfaces.Mcp;
using MinimalMcp.Tools;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Tests.Auth;

/// <summary>The framework's own words on routes of an application's own, beside ours.</summary>
[Slow]
public sealed class FrameworkTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/mine/open", null, 401)] // what says nothing is closed
    [InlineData("/mine/open", Modes.Reader, 200)]
    [InlineData("/mine/anonymous", null, 200)]
    [InlineData("/mine/anonymous", "wrong", 200)]
    [InlineData("/mine/authorize", null, 401)]
    [InlineData("/mine/authorize", Modes.Reader, 200)]
    [InlineData("/mine/admin", null, 401)]
    [InlineData("/mine/admin", "wrong", 401)]
    [InlineData("/mine/admin", Modes.Reader, 403)]
    [InlineData("/mine/admin", "ann.write.x", 403)]
    [InlineData("/mine/admin", "ann.admin.x", 200)]
    [InlineData("/mine/admin", Modes.Key, 200)]
    [InlineData("/mine/write", "ann.write.x", 200)]
    [InlineData("/mine/write", Modes.Key, 200)] // a larger scope contains the smaller ones
    [InlineData("/no/such/route", null, 401)]
    public async Task In_our_own_program_policies_scopes_and_the_fallback_hold_for_every_route(
        string path,
        string? credential,
        int status
    )
    {
        await using var host = await StartAsync("hybrid", builder => builder.CloseOtherRoutes());

        using var answer = await AskAsync(host, path, credential);

        Assert.Equal(status, (int)answer.StatusCode);
        if (status == 403)
        {
            Assert.Contains("error=\"insufficient_scope\"", answer.Headers.WwwAuthenticate.ToString());
            Assert.Contains(
                "scope=\"mcp:read mcp:write mcp:execute mcp:admin\"",
                answer.Headers.WwwAuthenticate.ToString()
            );
        }
    }

    [Theory]
    [InlineData("none", null, "local")]
    [InlineData("api-key", Modes.Key, "default")]
    [InlineData("api-key", Modes.Reader, "reader")]
    [InlineData("embedded", Modes.Reader, "reader")]
    [InlineData("embedded", "ann.write.x", "ann")]
    public async Task The_scheme_fills_the_user_of_a_request(string mode, string? credential, string subject)
    {
        await using var host = await StartAsync(mode, builder => builder.CloseOtherRoutes());

        using var answer = await AskAsync(host, "/mine/authorize", credential);

        Assert.Equal((HttpStatusCode.OK, subject), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
    }

    [Fact]
    public async Task The_frameworks_rate_limiter_limits_a_route_and_no_other()
    {
        await using var host = await StartAsync("api-key", builder => builder.CloseOtherRoutes());

        using var first = await AskAsync(host, "/mine/limited", Modes.Key);
        using var second = await AskAsync(host, "/mine/limited", Modes.Key);
        using var other = await AskAsync(host, "/mine/authorize", Modes.Key);

        Assert.Equal((200, 429, 200), ((int)first.StatusCode, (int)second.StatusCode, (int)other.StatusCode));
    }

    [Fact]
    public async Task A_stricter_policy_on_our_own_routes_is_not_gone_around()
    {
        await using var host = await StartAsync("api-key", builder => builder.CloseOtherRoutes(), tools: "mcp:admin");

        using var refused = await AskAsync(host, "/tools", Modes.Reader);
        using var admitted = await AskAsync(host, "/tools", Modes.Key);

        Assert.Equal((403, 200), ((int)refused.StatusCode, (int)admitted.StatusCode));
    }

    [Theory]
    [InlineData("/mine/open", null, 200)] // the host says what is closed of its own
    [InlineData("/mine/admin", null, 401)]
    [InlineData("/mine/admin", Modes.Reader, 403)]
    [InlineData("/mine/admin", Modes.Key, 200)]
    [InlineData("/no/such/route", null, 404)]
    [InlineData("/tools", null, 401)]
    [InlineData("/status", null, 401)]
    [InlineData("/metrics", null, 401)]
    [InlineData("/api/v1/audit", null, 401)]
    [InlineData("/api/v1/approvals", null, 401)]
    [InlineData("/diagnostics", null, 401)]
    [InlineData("/mine/own", null, 401)]
    public async Task In_somebody_elses_program_our_routes_are_closed_and_theirs_are_theirs(
        string path,
        string? credential,
        int status
    )
    {
        await using var host = await StartAsync("api-key", builder =>
            builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, OwnScheme>("Own", null)
        );

        using var answer = await AskAsync(host, path, credential);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task In_somebody_elses_program_neither_a_default_scheme_nor_a_fallback_policy_is_ours()
    {
        await using var bare = await StartAsync("api-key", _ => { });
        await using var own = await StartAsync("api-key", builder =>
            builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, OwnScheme>("Own", null)
        );

        Assert.Null(bare.Services.GetRequiredService<IOptions<AuthorizationOptions>>().Value.FallbackPolicy);
        Assert.Null(
            await bare.Services.GetRequiredService<IAuthenticationSchemeProvider>().GetDefaultAuthenticateSchemeAsync()
        );
        var schemes = own.Services.GetRequiredService<IAuthenticationSchemeProvider>();
        Assert.Equal("Own", (await schemes.GetDefaultAuthenticateSchemeAsync())?.Name);
        using var theirs = await AskAsync(own, "/mine/own", "theirs");
        Assert.Equal("their user", await theirs.Content.ReadAsStringAsync(Stop));
    }

    // As Program.cs has it, with routes of an application's own.
    private static async Task<WebApplication> StartAsync(
        string mode,
        Action<WebApplicationBuilder> more,
        string? tools = null
    )
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory }
        );
        var settings = new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Storage:Path"] = TestStores.New(),
            ["Auth:Mode"] = mode,
        };
        if (mode != "none")
        {
            settings["Auth:ApiKey"] = Modes.Key;
            settings["Auth:ApiKeys:reader:Key"] = Modes.Reader;
            settings["Auth:ApiKeys:reader:Scopes"] = "mcp:read";
        }

        builder.Configuration.AddInMemoryCollection(settings);
        builder.AddConfiguration();
        builder.AddStorage();
        builder.AddTools();
        builder.AddOutgoing();
        builder.AddAuth();
        builder.AddGovernance();
        builder.Services.AddMcpServer().WithHttpTransport().WithDirectPath();
        builder.AddToolOpenApi();
        builder.AddWellKnown();
        builder.AddPages();
        builder.Logging.ClearProviders();
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = 429;
            limiter.AddFixedWindowLimiter("one", window =>
                (window.PermitLimit, window.Window) = (1, TimeSpan.FromHours(1))
            );
        });
        TestTokens.WithNotes(builder.Services);
        more(builder);
        var app = builder.Build();
        app.UseConfiguration();
        app.UseAuth();
        app.UseRateLimiter();
        var group = app.MapTools("/tools");
        if (tools is not null)
        {
            group.RequireAuthorization(tools);
        }

        app.MapAudit("/api/v1/audit");
        app.MapDashboard("/dashboard");
        app.MapConsole("/console");
        app.MapWellKnown();
        app.MapPages();
        app.MapGet("/mine/open", () => "open");
        app.MapGet("/mine/anonymous", () => "open").AllowAnonymous();
        app.MapGet("/mine/admin", Subject).RequireAuthorization("mcp:admin");
        app.MapGet("/mine/write", Subject).RequireAuthorization("mcp:write");
        app.MapGet("/mine/authorize", [Authorize(AuthenticationSchemes = AuthScheme.Name)] (HttpContext http) =>
            Subject(http)
        );
        app.MapGet("/mine/limited", Subject).RequireAuthorization("mcp:read").RequireRateLimiting("one");
        app.MapGet("/mine/own", Subject).RequireAuthorization(policy => policy.RequireAuthenticatedUser());
        await app.StartAsync(Stop);
        return app;
    }

    private static string Subject(HttpContext http) => http.User.FindFirstValue("sub") ?? "nobody";

    private static async Task<HttpResponseMessage> AskAsync(WebApplication host, string path, string? credential)
    {
        using var http = new HttpClient { BaseAddress = new(host.Urls.Single()) };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = credential is null ? null : new("Bearer", credential);
        return await http.SendAsync(request, Stop);
    }

    private sealed class OwnScheme(
        IOptionsMonitor<AuthenticationSchemeOptions> options,
        ILoggerFactory logger,
        UrlEncoder encoder
    ) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
            Task.FromResult(
                Request.Headers.Authorization == "Bearer theirs"
                    ? AuthenticateResult.Success(
                        new(new(new ClaimsIdentity([new("sub", "their user")], "Own")), Scheme.Name)
                    )
                    : AuthenticateResult.NoResult()
            );
    }
}
