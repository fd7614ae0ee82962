using System.Text;

namespace MinimalMcp.Auth.Diagnostics;

/// <summary>The parts of a request that may be shown and logged.</summary>
internal static class RedactedRequest
{
    // Of all other parameters only the name is shown: their values may be codes, tokens, states or session ids.
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "resource",
        "code_challenge_method",
        "error",
        "profile",
        "family",
        "readonly",
    };

    public static string Path(HttpRequest request)
    {
        var shown = new StringBuilder(request.PathBase.Value).Append(request.Path.Value);
        var separator = '?';
        foreach (var (name, values) in request.QueryString.HasValue ? request.Query.Take(20) : [])
        {
            var value = Harmless.Contains(name) ? values.ToString() : "…";
            shown.Append(separator).Append(name).Append('=').Append(value);
            separator = '&';
        }

        return Text(shown.ToString(), 400);
    }

    public static string Client(HttpRequest request) => Text(request.Headers.UserAgent.ToString(), 160);

    public static string Address(HttpContext http) => http.Connection.RemoteIpAddress?.ToString() ?? "";

    /// <summary>Untrusted text: truncated, with control and formatting characters replaced.</summary>
    public static string Text(string text, int limit) =>
        new([
            .. text.Take(limit)
                .Select(letter =>
                    char.IsControl(letter)
                    || char.GetUnicodeCategory(letter)
                        is System.Globalization.UnicodeCategory.Format
                            or System.Globalization.UnicodeCategory.LineSeparator
                        ? '·'
                        : letter
                ),
        ]);
}
