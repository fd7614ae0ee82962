using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>
/// What clients sent and got, seen in front of the server: to compare with what the server says of it.
/// </summary>
internal sealed class SeenRequests : IStartupFilter
{
    private readonly ConcurrentQueue<SeenRequest> _all = new();

    /// <summary>The names of the sessions that were opened. The rest of an id is a secret.</summary>
    public IEnumerable<string> Sessions =>
        _all.Where(one => one is { Method: "initialize", Session: not null }).Select(one => one.Session!.Split('.')[0]);

    /// <summary>The surfaces of the tool calls that were admitted.</summary>
    public IEnumerable<string> Calls =>
        _all.Where(one => one.Status == 200)
            .Select(one =>
                one is { Path: "/mcp", Method: "tools/call" } ? "http"
                : one.Path == "/api/mcp/v1/call" ? "functions"
                : one.Verb == "POST" && one.Path.StartsWith("/tools/", StringComparison.Ordinal) ? "rest"
                : null
            )
            .OfType<string>();

    /// <summary>How often a person came back from the consent page with a code.</summary>
    public int SignIns => _all.Count(one => one.Location?.Contains("code=", StringComparison.Ordinal) is true);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(SeeAsync);
            next(app);
        };

    private async Task SeeAsync(HttpContext http, RequestDelegate next)
    {
        string? method = null;
        if (http.Request.HasJsonContentType())
        {
            http.Request.EnableBuffering();
            using var body = await JsonDocument.ParseAsync(http.Request.Body);
            http.Request.Body.Position = 0;
            method = body.RootElement.TryGetProperty("method", out var named) ? named.GetString() : null;
        }

        await next(http);
        var headers = http.Response.Headers;
        _all.Enqueue(
            new(
                http.Request.Method,
                http.Request.Path,
                method,
                http.Response.StatusCode,
                headers["Mcp-Session-Id"].FirstOrDefault(),
                headers.Location.FirstOrDefault()
            )
        );
    }

    private sealed record SeenRequest(
        string Verb,
        string Path,
        string? Method,
        int Status,
        string? Session,
        string? Location
    );
}
