using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// The routes of GitHub's API that are needed, with what they need of a request. Others are refused.
/// </summary>
internal sealed class FakeGitHub : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeGitHub(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <summary>Files by "owner/repository/path".</summary>
    public Dictionary<string, string> Files { get; } = [];

    /// <summary>What a repository is answered with instead.</summary>
    public Dictionary<string, int> Statuses { get; } = [];

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Requests that the API's description does not know.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    public string? Token { get; private set; }

    public static async Task<FakeGitHub> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var fake = new FakeGitHub(builder.Build());
        fake._app.Urls.Add("http://127.0.0.1:0");
        fake._app.Run(fake.AnswerAsync);
        await fake._app.StartAsync(TestContext.Current.CancellationToken);
        return fake;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task AnswerAsync(HttpContext http)
    {
        var line = $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}";
        Requests.Enqueue(line);
        Token = http.Request.Headers.Authorization;
        string[] parts = http.Request.Path.Value!.Split('/');
        if (
            http.Request.Method != "GET"
            || parts is not ["", "repos", var owner, var name, ..]
            || http.Request.Headers.Accept != "application/vnd.github+json"
            || http.Request.Headers["X-GitHub-Api-Version"] != "2022-11-28"
            || http.Request.Headers.UserAgent.Count == 0
        )
        {
            return RefuseAsync(http, line);
        }

        var repository = $"{owner}/{name}/";
        var files = Files
            .Where(file => file.Key.StartsWith(repository, StringComparison.Ordinal))
            .ToDictionary(file => file.Key[repository.Length..], file => file.Value);
        if (Statuses.TryGetValue(repository.TrimEnd('/'), out var status) || files.Count == 0)
        {
            http.Response.Headers.Location = "https://evil.example/";
            return JsonAsync(http, new { message = "?" }, status == 0 ? 404 : status);
        }

        return parts[4..] switch
        {
            [] => JsonAsync(
                http,
                new
                {
                    name,
                    description = "of GitHub",
                    default_branch = "main",
                }
            ),
            ["contents", .. var path] => ContentAsync(http, files, string.Join('/', path)),
            ["git", "trees", "main"] when http.Request.Query["recursive"] == "1" => JsonAsync(
                http,
                new
                {
                    sha = "0",
                    truncated = false,
                    tree = files.Keys.Select(path => new { path, type = "blob" }),
                }
            ),
            _ => RefuseAsync(http, line),
        };
    }

    private static Task ContentAsync(HttpContext http, Dictionary<string, string> files, string path)
    {
        if (files.TryGetValue(path, out var text))
        {
            // In lines of 60 characters, as GitHub writes it; without content above a megabyte.
            var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
            var lines = string.Concat(base64.Chunk(60).Select(line => new string(line) + "\n"));
            return JsonAsync(
                http,
                text.Length > 1 << 20
                    ? new
                    {
                        type = "file",
                        encoding = "none",
                        content = "",
                    }
                    : new
                    {
                        type = "file",
                        encoding = "base64",
                        content = lines,
                    }
            );
        }

        var below = path.Length == 0 ? "" : path + "/";
        var entries = files
            .Keys.Where(file => file.StartsWith(below, StringComparison.Ordinal))
            .Select(file => file[below.Length..].Split('/'))
            .Select(rest => new { name = rest[0], type = rest.Length == 1 ? "file" : "dir" })
            .Distinct()
            .ToArray();
        return entries.Length == 0 ? JsonAsync(http, new { message = "Not Found" }, 404) : JsonAsync(http, entries);
    }

    private Task RefuseAsync(HttpContext http, string line)
    {
        Refused.Enqueue(line);
        return JsonAsync(http, new { message = "not in the description of the API" }, 400);
    }

    private static Task JsonAsync(HttpContext http, object body, int status = 200)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(body, body.GetType());
    }
}
