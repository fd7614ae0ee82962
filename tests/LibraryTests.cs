using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests;

/// <summary>The server as a library, in an application that has routes, a start page and a logger of its own.</summary>
public sealed class LibraryTests
{
    [Fact]
    public async Task Every_surface_calls_a_tool_of_the_application()
    {
        await using var app = await App.StartAsync();

        var answer = await app.PostAsync("/mcp", Call("clock_now"));
        Assert.Contains(
            "+00:00",
            answer.GetProperty("result").GetProperty("content")[0].GetProperty("text").GetString()
        );
        Assert.Contains("+00:00", (await app.PostAsync("/tools/clock_now", new { })).GetRawText());
        Assert.Contains("+00:00", (await app.PostAsync("/api/mcp/v1/call", Call("clock_now"))).GetRawText());
        var document = await app.Http.GetFromJsonAsync<JsonElement>("/openapi.json?family=clock", Stop);
        Assert.True(document.GetProperty("paths").TryGetProperty("/tools/clock_now", out _));
        var tools = await app.Http.GetFromJsonAsync<JsonElement>("/tools", Stop);
        var families = tools
            .GetProperty("tools")
            .EnumerateArray()
            .Select(tool => tool.GetProperty("family").GetString());
        Assert.DoesNotContain("shop", families); // the sample is for a server without tools
    }

    [Fact]
    public async Task The_explorer_has_its_script()
    {
        await using var app = await App.StartAsync();

        var page = await app.Http.GetStringAsync(new Uri("/scalar/", UriKind.Relative), Stop);
        var script = page.Split("src=\"").Select(part => part.Split('"')[0]).First(src => src.Contains("scalar.js"));
        var content = await app.Http.GetStringAsync(new Uri("/scalar/" + script, UriKind.Relative), Stop);

        Assert.True(content.Length > 100_000);
    }

    [Fact]
    public async Task It_has_the_routes_of_the_program()
    {
        await using var app = await App.StartAsync(
            ("Auth:Mode", "embedded"),
            ("Auth:ApiKey", "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa")
        );
        await using var program = TestServer.Start(
            ("Auth:Mode", "embedded"),
            ("Auth:ApiKey", "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa")
        );

        Assert.Equal(Routes(program.Services), Routes(app.Services).Where(route => route is not ("hello" or "admin")));

        static IEnumerable<string> Routes(IServiceProvider services) =>
            services
                .GetRequiredService<EndpointDataSource>()
                .Endpoints.OfType<RouteEndpoint>()
                .Select(route => route.RoutePattern.RawText?.Trim('/') ?? "")
                .Distinct()
                .Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task The_application_stays_as_it_is()
    {
        await using var app = await App.StartAsync();

        Assert.Equal("hello", await app.Http.GetStringAsync(new Uri("/hello", UriKind.Relative), Stop));
        Assert.Equal("my start page", await app.Http.GetStringAsync(new Uri("/", UriKind.Relative), Stop));
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await app.Http.GetAsync(new Uri("/nothing", UriKind.Relative), Stop)).StatusCode
        );
        Assert.Null(app.Services.GetRequiredService<IOptions<AuthorizationOptions>>().Value.FallbackPolicy);
        var schemes = app.Services.GetRequiredService<IAuthenticationSchemeProvider>();
        Assert.Null(await schemes.GetDefaultAuthenticateSchemeAsync());
        Assert.Equal([typeof(App.Log)], app.Services.GetServices<ILoggerProvider>().Select(log => log.GetType()));
        Assert.Equal(app.Folder, app.Services.GetRequiredService<IWebHostEnvironment>().ContentRootPath);
        Assert.Equal(
            TimeSpan.FromSeconds(30),
            app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout
        );
    }

    [Fact]
    public async Task Only_its_own_routes_refuse_an_unknown_host()
    {
        await using var app = await App.StartAsync();
        app.Http.DefaultRequestHeaders.Host = "rebound.example";

        Assert.Equal("hello", await app.Http.GetStringAsync(new Uri("/hello", UriKind.Relative), Stop));
        using var refused = await app.Http.GetAsync(new Uri("/tools", UriKind.Relative), Stop);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task A_body_above_the_limit_is_refused()
    {
        await using var app = await App.StartAsync(("Server:MaxRequestBytes", "1024"));

        using var refused = await app.Http.PostAsJsonAsync(
            "/tools/clock_now",
            new { zone = new string('z', 2000) },
            Stop
        );

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
    }

    [Fact]
    public async Task Its_policies_work_on_routes_of_the_application()
    {
        const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
        await using var app = await App.StartAsync(("Auth:Mode", "api-key"), ("Auth:ApiKey", Key));

        using var refused = await app.Http.GetAsync(new Uri("/admin", UriKind.Relative), Stop);
        app.Http.DefaultRequestHeaders.Authorization = new("Bearer", Key);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("admin", await app.Http.GetStringAsync(new Uri("/admin", UriKind.Relative), Stop));
    }

    [Theory]
    [InlineData("urls", "http://0.0.0.0:0")]
    [InlineData("http_ports", "0")]
    public async Task Without_authentication_it_listens_on_this_machine_only(string setting, string value)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => App.StartAsync((setting, value)));

        Assert.Contains("the server may listen only on loopback", refused.ToString());
    }

    [Fact]
    public async Task Also_where_the_application_listens_by_its_code()
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() =>
            App.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(0)))
        );

        Assert.Contains("the server may listen only on loopback", refused.ToString());
    }

    [Fact]
    public void A_tool_class_outside_a_namespace_is_a_family() =>
        Assert.Equal("Dice", ToolsSetup.Family(typeof(DiceTools)));

    [Fact]
    public async Task Web_pages_of_allowed_origins_may_call()
    {
        await using var app = await App.StartAsync(("Server:CorsOrigins", "https://app.example.com"));
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/tools/clock_now")
        {
            Headers =
            {
                { "Origin", "https://app.example.com" },
                { "Access-Control-Request-Method", "POST" },
                { "Access-Control-Request-Headers", "content-type" },
            },
        };

        using var answer = await app.Http.SendAsync(preflight, Stop);

        Assert.Equal("https://app.example.com", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    private static object Call(string name) =>
        new
        {
            jsonrpc = "2.0",
            id = 1,
            method = "tools/call",
            @params = new { name, arguments = new { } },
        };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The application. Its assembly is that of the tests, which has the README's first tool.</summary>
    private sealed class App(WebApplication app, DirectoryInfo folder) : IAsyncDisposable
    {
        public HttpClient Http { get; } = new() { BaseAddress = new(app.Urls.First()), Timeout = Wait.Limit };

        public IServiceProvider Services => app.Services;

        public string Folder => folder.FullName;

        public static Task<App> StartAsync(params (string Key, string Value)[] settings) =>
            StartAsync(
                builder =>
                    builder.Configuration.AddInMemoryCollection(
                        settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))
                    ),
                settings.Any(setting => setting.Key is "urls" or "http_ports")
            );

        public static async Task<App> StartAsync(Action<WebApplicationBuilder> configure, bool listens = true)
        {
            var folder = Directory.CreateTempSubdirectory("library");
            var builder = WebApplication.CreateBuilder(
                new WebApplicationOptions
                {
                    ApplicationName = typeof(LibraryTests).Assembly.GetName().Name,
                    ContentRootPath = folder.FullName,
                }
            );
            builder.Logging.ClearProviders().AddProvider(new Log());
            builder.Configuration["Storage:Path"] = "store.db";
            if (!listens)
            {
                builder.Configuration["urls"] = "http://127.0.0.1:0";
            }

            configure(builder);
            builder.AddMinimalMcp();

            var app = builder.Build();
            app.MapGet("/", () => "my start page");
            app.MapGet("/hello", () => "hello");
            app.MapGet("/admin", () => "admin").RequireAuthorization("mcp:admin");
            app.MapMinimalMcp();
            try
            {
                await app.StartAsync(Stop);
                return new(app, folder);
            }
            catch
            {
                await app.DisposeAsync();
                folder.Delete(recursive: true);
                throw;
            }
        }

        public async Task<JsonElement> PostAsync(string path, object body)
        {
            using var response = await Http.PostAsJsonAsync(path, body, Stop);
            return await response.Content.ReadFromJsonAsync<JsonElement>(Stop);
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await app.DisposeAsync();
            folder.Delete(recursive: true);
        }

        /// <summary>The application's own logging, which the library leaves alone.</summary>
        internal sealed class Log : ILoggerProvider
        {
            public ILogger CreateLogger(string categoryName) =>
                Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

            public void Dispose() { }
        }
    }
}
