using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace MinimalMcp.Pages;

/// <summary>The scripts and styles of the pages, which are embedded resources.</summary>
internal sealed class PageAssets
{
    /// <summary>The Cache-Control of a file with a versioned URL.</summary>
    public const string Immutable = "public, max-age=31536000, immutable";

    private readonly ConcurrentDictionary<string, PageAsset> _files = new(StringComparer.Ordinal);

    /// <summary>The versioned URL of a file, which may be cached forever; null when there is no such file.</summary>
    public string? Address(string name) => Find(name) is { } file ? $"assets/{name}?v={file.Version}" : null;

    public static Task GetAsync(HttpContext http)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        return http.RequestServices.GetRequiredService<PageAssets>().Find(name) is { } file
            ? file.WriteAsync(http)
            : Results.NotFound().ExecuteAsync(http);
    }

    private PageAsset? Find(string name)
    {
        if (_files.TryGetValue(name, out var known))
        {
            return known;
        }

        using var content = Resource(name) ?? Resource("Console." + name);
        return content is null ? null : _files.GetOrAdd(name, new PageAsset(name, content));
    }

    private static Stream? Resource(string name) =>
        typeof(PageAssets).Assembly.GetManifestResourceStream(typeof(PageAssets), name);

    /// <summary>Read and compressed on first use; every browser accepts the compressed form.</summary>
    private sealed class PageAsset
    {
        private readonly string _type;
        private readonly byte[] _compressed;

        public PageAsset(string name, Stream content)
        {
            _type = name.EndsWith(".css", StringComparison.Ordinal)
                ? "text/css; charset=utf-8"
                : "text/javascript; charset=utf-8";
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            {
                content.CopyTo(gzip);
            }

            _compressed = compressed.ToArray();
            Version = Convert.ToHexStringLower(SHA256.HashData(_compressed).AsSpan(0, 8));
        }

        public string Version { get; }

        public Task WriteAsync(HttpContext http)
        {
            var headers = http.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.Vary = HeaderNames.AcceptEncoding;
            headers.CacheControl = http.Request.Query["v"] == Version ? Immutable : "no-cache";
            if (
                http
                    .Request.GetTypedHeaders()
                    .AcceptEncoding.Any(coding => coding.Value == "gzip" && coding.Quality != 0)
            )
            {
                headers.ContentEncoding = "gzip";
                return Results.Bytes(_compressed, _type, entityTag: Tag("gzip")).ExecuteAsync(http);
            }

            // Another form has another strong tag (RFC 9110, 8.8.3.3).
            var plain = new GZipStream(new MemoryStream(_compressed), CompressionMode.Decompress);
            return Results.Stream(plain, _type, entityTag: Tag("plain")).ExecuteAsync(http);
        }

        private EntityTagHeaderValue Tag(string form) => new($"\"{Version}-{form}\"");
    }
}
