using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Tools.Jira;

/// <summary>
/// Stands in for Jira on a real socket. A request that answers.json does not have is answered with 404.
/// </summary>
internal sealed class JiraUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private JiraUpstream(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public ConcurrentQueue<(string? Authorization, string Body)> Requests { get; } = [];

    /// <summary>Answers every request with this status, and with text that is no JSON.</summary>
    public int? Failure { get; set; }

    public static async Task<JiraUpstream> StartAsync([CallerFilePath] string file = "")
    {
        var answers = JsonElement.Parse(
            await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(file)!, "answers.json"))
        );
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var app = builder.Build();
        var upstream = new JiraUpstream(app);
        app.Run(async http =>
        {
            var request = http.Request;
            using var body = new StreamReader(request.Body);
            upstream.Requests.Enqueue((request.Headers.Authorization, await body.ReadToEndAsync(http.RequestAborted)));
            var isKnown = answers.TryGetProperty(
                $"{request.Method} {request.Path}{request.QueryString}",
                out var answer
            );
            http.Response.StatusCode = upstream.Failure ?? (isKnown ? 200 : 404);
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(upstream.Failure is null && isKnown ? answer.GetRawText() : "<html>");
        });
        await app.StartAsync();
        return upstream;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
