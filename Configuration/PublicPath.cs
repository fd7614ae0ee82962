namespace MinimalMcp.Configuration;

/// <summary>
/// Handles the path of PUBLIC_URL. A reverse proxy may strip it or not; both work. Documents are also served where the
/// standards put them for an identifier with a path: after the well-known part (RFC 8414 section 3.1, RFC 9728 section
/// 3.1).
/// </summary>
internal static class PublicPath
{
    private const string Prefix = "/.well-known/";

    /// <summary>Begins with a slash and does not end with one; empty when there is none.</summary>
    public static PathString Of(IConfiguration configuration) =>
        Uri.TryCreate(PublicUrl.Configured(configuration), UriKind.Absolute, out var url)
            ? PathString.FromUriComponent(url.AbsolutePath.TrimEnd('/'))
            : default;

    public static void Use(WebApplication app)
    {
        var path = Of(app.Configuration);
        if (!path.HasValue)
        {
            return;
        }

        app.Use(next =>
            http =>
            {
                var request = http.Request;
                request.Path = request.Path.StartsWithSegments(path, StringComparison.Ordinal, out var rest)
                    ? rest
                    : WithoutPath(request.Path, path);
                request.PathBase = path; // also when the proxy stripped it
                return next(http);
            }
        );
    }

    // "/.well-known/NAME/PATH/mcp" is "/.well-known/NAME/mcp" of the server at PATH.
    private static PathString WithoutPath(PathString requested, PathString path)
    {
        var text = requested.Value ?? "";
        var end = text.StartsWith(Prefix, StringComparison.Ordinal) ? text.IndexOf('/', Prefix.Length) : -1;
        return end > 0 && new PathString(text[end..]).StartsWithSegments(path, StringComparison.Ordinal, out var rest)
            ? new PathString(text[..end] + rest)
            : requested;
    }
}
