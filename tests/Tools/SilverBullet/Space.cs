using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>
/// A SilverBullet server on loopback that answers as the recordings of 2.9 do: a space with a prefix, a list of all
/// files, PUT that always overwrites and empties the file before it fills it, HTML with 200 for paths that it does not
/// know, and redirects for clients that do not send X-Sync-Mode.
/// </summary>
internal sealed class Space : IAsyncDisposable
{
    public const string Token = "space-token-4711",
        Prefix = "/notes";

    private const long Created = 1_795_000_000_000;

    private readonly Upstream _upstream;
    private readonly ConcurrentDictionary<string, File> _files = new();
    private long _clock;
    private bool _isChanged;

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

    /// <summary>The fault is there from the first change on.</summary>
    public bool FaultAfterChange { get; set; }

    /// <summary>Sent with each answer, such as Retry-After.</summary>
    public (string Name, string Value)? Header { get; set; }

    /// <summary>Before 2.10 a read-only refusal was 500.</summary>
    public bool IsOld { get; set; }

    /// <summary>SB_READ_ONLY: pages are listed as ever, and each write is 500.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>What somebody else does to the space right after a page was written.</summary>
    public Action<string>? AfterWrite { get; set; }

    /// <summary>A server that does not say what may be done with a page.</summary>
    public bool SaysNoPermission { get; set; }

    public static async Task<Space> StartAsync() => new(await Upstream.StartAsync());

    public (string, string)[] Settings => [("SilverBullet:Url", Url), ("SilverBullet:Token", Token)];

    public string? this[string file] => Bytes(file) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    public byte[]? Bytes(string file) => _files.TryGetValue(file, out var found) ? found.Content : null;

    public (string Name, long LastModified)[] Files => [.. _files.Select(file => (file.Key, file.Value.LastModified))];

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
        Put(file, Encoding.UTF8.GetBytes(text), permission, type);

    public void Put(string file, byte[] content, string permission = "rw", string type = "text/markdown") =>
        _files[file] = new(content, Interlocked.Add(ref _clock, 1000), permission, type);

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    private Task ServeAsync(HttpContext http, Upstream.Question question)
    {
        var (request, target) = (http.Request, http.Features.Get<IHttpRequestFeature>()!.RawTarget);
        Targets.Enqueue(target);
        if (Header is { } header)
        {
            http.Response.Headers[header.Name] = header.Value;
        }

        var isFaulty = Fault is { } known && (known.Method ?? request.Method) == request.Method;
        isFaulty &= _isChanged || !FaultAfterChange;
        _isChanged |= request.Method != "GET";
        var path = target.Split('?')[0];
        return Fault is { } fault && isFaulty ? WriteAsync(http, fault.Status, fault.Body, fault.Type)
            // Another space, or the list of them.
            : !path.StartsWith(Prefix + "/", StringComparison.Ordinal) ? PageAsync(http)
            : path == Prefix + "/.ping" ? WriteAsync(http, 200, "OK")
            : request.Headers.Authorization.ToString() != Authorization
                ? WriteAsync(http, 401, "Unauthorized", location: "/.auth")
            : path == Prefix + "/.config" && request.Method == "GET"
                ? WriteAsync(
                    http,
                    200,
                    $$"""
                    {"readOnly":{{(IsReadOnly ? "true" : "false")}},"spaceFolderPath":"/space","indexPage":"index"}
                    """,
                    "application/json"
                )
            : path == Prefix + "/.fs" && request.Method == "GET" ? WriteAsync(http, 200, Listing(), "application/json")
            : path.StartsWith(Prefix + "/.fs/", StringComparison.Ordinal)
                ? FileAsync(http, path[(Prefix.Length + 5)..], question.Bytes)
            : PageAsync(http);
    }

    private async Task FileAsync(HttpContext http, string path, byte[] body)
    {
        var name = Uri.UnescapeDataString(path);
        if (http.Request.Headers["X-Sync-Mode"] != "true")
        {
            await WriteAsync(http, 307, "", location: $"{Prefix}/{path}");
            return;
        }

        if (name.Split('/').Any(part => part is "" or "." or ".."))
        {
            await WriteAsync(http, 403, "outside of the space");
            return;
        }

        var known = _files.GetValueOrDefault(name);
        switch (http.Request.Method)
        {
            case "GET" when known is not null:
                Describe(http, known);
                http.Response.ContentType = known.Type;
                await http.Response.Body.WriteAsync(
                    http.Request.Headers.ContainsKey("X-Get-Meta") ? [] : known.Content,
                    http.RequestAborted
                );
                break;
            case "PUT" or "DELETE" when IsReadOnly:
                await WriteAsync(http, 500, "read-only mode");
                break;
            case "PUT" or "DELETE" when known?.Permission == "ro":
                await WriteAsync(http, IsOld ? 500 : 403, "read-only");
                break;
            case "PUT":
                Put(name, "");
                await Task.Delay(5, http.RequestAborted); // a reader that comes now sees an empty page
                Put(name, body);
                Describe(http, _files[name]);
                AfterWrite?.Invoke(name);
                await WriteAsync(http, 200, "OK");
                break;
            case "DELETE" when _files.TryRemove(name, out _):
                await WriteAsync(http, 200, "OK");
                break;
            case "GET" or "DELETE":
                await WriteAsync(http, 404, "404 page not found\n", "text/plain; charset=utf-8");
                break;
            default:
                await WriteAsync(http, 405, "Method Not Allowed");
                break;
        }
    }

    private void Describe(HttpContext http, File file)
    {
        var headers = http.Response.Headers;
        headers.CacheControl = "no-cache";
        headers["X-Created"] = Created.ToString(CultureInfo.InvariantCulture);
        headers["X-Last-Modified"] = file.LastModified.ToString(CultureInfo.InvariantCulture);
        headers["X-Content-Length"] = file.Content.Length.ToString(CultureInfo.InvariantCulture);
        headers["X-Content-Type"] = file.Type;
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
                created = Created,
                lastModified = file.Value.LastModified,
                size = file.Value.Content.Length,
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

    private sealed record File(byte[] Content, long LastModified, string Permission, string Type);
}
