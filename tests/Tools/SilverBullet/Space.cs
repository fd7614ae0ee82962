using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>
/// A SilverBullet server on loopback that keeps the rules of the real one: a space with a prefix, a listing of all files, PUT that always
/// overwrites, HTML with 200 for paths that it does not know, and redirects for clients that do not say X-Sync-Mode.
/// </summary>
internal sealed class Space : IAsyncDisposable
{
    public const string Token = "space-token-4711",
        Prefix = "/notes";

    private readonly Upstream _upstream;
    private readonly ConcurrentDictionary<string, File> _files = new();
    private long _clock;

    private Space(Upstream upstream)
    {
        _upstream = upstream;
        upstream.Serve = ServeAsync;
        Reset();
    }

    public string Url => _upstream.Url + Prefix;

    public ConcurrentQueue<Upstream.Question> Asked => _upstream.Asked;

    /// <summary>The paths as they came, before anybody decoded them.</summary>
    public ConcurrentQueue<string> Targets { get; } = [];

    /// <summary>What it wants as Authorization.</summary>
    public string Authorization { get; set; } = "Bearer " + Token;

    /// <summary>Answers this instead, to requests of the method or to all.</summary>
    public (string? Method, int Status, string Body, string Type)? Fault { get; set; }

    /// <summary>Before 2.10 a read-only refusal was 500.</summary>
    public bool IsOld { get; set; }

    /// <summary>A server that does not say what may be done with a page.</summary>
    public bool SaysNoPermission { get; set; }

    public static async Task<Space> StartAsync() => new(await Upstream.StartAsync());

    public (string, string)[] Settings => [("SilverBullet:Url", Url), ("SilverBullet:Token", Token)];

    public string? this[string file] => _files.TryGetValue(file, out var found) ? found.Text : null;

    /// <summary>The space as every test finds it.</summary>
    public void Reset()
    {
        _files.Clear();
        _clock = 1_795_100_000_000;
        Put("index.md", "# Welcome\nStart here.");
        Put("Projects/Åland & co.md", "# Åland\nThe roof of the *summer house* leaks.\nCall the carpenter.");
        Put("Projects/Garden.md", "Plant 100% of the tulips? #todo");
        Put("Library/Std/APIs/Command.md", "roof", "ro");
        Put("_plug/core.plug.js", "roof", "ro", "application/javascript");
        Put("img/roof.png", "roof", type: "image/png");
    }

    public void Put(string file, string text, string permission = "rw", string type = "text/markdown") =>
        _files[file] = new(text, Interlocked.Add(ref _clock, 1000), permission, type);

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    private Task ServeAsync(HttpContext http, Upstream.Question question)
    {
        var (request, target) = (http.Request, http.Features.Get<IHttpRequestFeature>()!.RawTarget);
        Targets.Enqueue(target);
        var path = target.Split('?')[0];
        return Fault is { } fault && (fault.Method ?? request.Method) == request.Method
                ? WriteAsync(http, fault.Status, fault.Body, fault.Type)
            : !path.StartsWith(Prefix + "/", StringComparison.Ordinal) ? PageAsync(http) // another space, or the list of them
            : path == Prefix + "/.ping" ? WriteAsync(http, 200, "OK")
            : request.Headers.Authorization.ToString() != Authorization
                ? WriteAsync(http, 401, "Unauthorized", location: "/.auth")
            : path == Prefix + "/.config" && request.Method == "GET"
                ? WriteAsync(
                    http,
                    200,
                    """{"readOnly":false,"spaceFolderPath":"/space","indexPage":"index"}""",
                    "application/json"
                )
            : path == Prefix + "/.fs" && request.Method == "GET" ? WriteAsync(http, 200, Listing(), "application/json")
            : path.StartsWith(Prefix + "/.fs/", StringComparison.Ordinal)
                ? FileAsync(http, path[(Prefix.Length + 5)..], question.Body)
            : PageAsync(http);
    }

    private Task FileAsync(HttpContext http, string path, string body)
    {
        var name = Uri.UnescapeDataString(path);
        if (http.Request.Headers["X-Sync-Mode"] != "true")
        {
            return WriteAsync(http, 307, "", location: $"{Prefix}/{path}");
        }

        if (name.Split('/').Any(part => part is "" or "." or ".."))
        {
            return WriteAsync(http, 403, "outside of the space");
        }

        var known = _files.GetValueOrDefault(name);
        switch (http.Request.Method)
        {
            case "GET" when known is not null:
                Describe(http, known);
                return WriteAsync(
                    http,
                    200,
                    http.Request.Headers.ContainsKey("X-Get-Meta") ? "" : known.Text,
                    known.Type
                );
            case "PUT" when known?.Permission == "ro":
            case "DELETE" when known?.Permission == "ro":
                return WriteAsync(http, IsOld ? 500 : 403, "read-only");
            case "PUT":
                Put(name, body);
                Describe(http, _files[name]);
                return WriteAsync(http, 200, "OK");
            case "DELETE" when _files.TryRemove(name, out _):
                return WriteAsync(http, 200, "OK");
            case "GET" or "DELETE":
                return WriteAsync(http, 404, "404 page not found\n");
            default:
                return WriteAsync(http, 405, "Method Not Allowed");
        }
    }

    private void Describe(HttpContext http, File file)
    {
        var headers = http.Response.Headers;
        headers["X-Last-Modified"] = file.LastModified.ToString(CultureInfo.InvariantCulture);
        headers["X-Content-Length"] = Encoding.UTF8.GetByteCount(file.Text).ToString(CultureInfo.InvariantCulture);
        if (!SaysNoPermission)
        {
            headers["X-Permission"] = file.Permission;
        }
    }

    private string Listing() =>
        System.Text.Json.JsonSerializer.Serialize(
            _files.Select(file => new
            {
                name = file.Key,
                created = 1_795_000_000_000,
                lastModified = file.Value.LastModified,
                size = Encoding.UTF8.GetByteCount(file.Value.Text),
                contentType = file.Value.Type,
                perm = file.Value.Permission,
            })
        );

    private static Task PageAsync(HttpContext http) =>
        WriteAsync(http, 200, "<!DOCTYPE html><html><head><title>SilverBullet</title></head></html>", "text/html");

    private static async Task WriteAsync(
        HttpContext http,
        int status,
        string body,
        string type = "text/plain",
        string? location = null
    )
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        http.Response.Headers.Location = location;
        await http.Response.WriteAsync(body, http.RequestAborted);
    }

    private sealed record File(string Text, long LastModified, string Permission, string Type);
}
