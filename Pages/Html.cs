using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using MinimalMcp.Governance;

namespace MinimalMcp.Pages;

/// <summary>
/// Text that is HTML already. It is only made from an interpolated string, and every value in one is encoded, so that
/// it cannot be forgotten. Characters that nobody sees are shown.
/// </summary>
internal sealed class Html
{
    private readonly string _text;

    private Html(string text) => _text = text;

    public static Html Of(FormattableString text) =>
        new(string.Format(CultureInfo.InvariantCulture, text.Format, [.. text.GetArguments().Select(Encode)]));

    /// <summary>A whole page: its frame is the same everywhere.</summary>
    /// <param name="root">The way from the page to our own root.</param>
    public static Html Page(string title, Html head, Html body, string root = "") =>
        Of(
            $"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>{title}</title>
              <link rel="icon" href="{root}logo.svg" type="image/svg+xml">
              {head}
            </head>
            <body>
              {body}
            </body>
            </html>

            """
        );

    /// <summary>
    /// In the head of a page that is one person's and has forms. The header says no-referrer, which would leave our own
    /// name out of a form's Origin header, by which we know our page.
    /// </summary>
    public static Html PersonalHead { get; } =
        Of(
            $"""
            <meta name="color-scheme" content="light dark">
              <meta name="referrer" content="same-origin">
              <meta name="robots" content="noindex">
            """
        );

    public static Html Each<T>(IEnumerable<T> items, Func<T, Html> one) => new(string.Concat(items.Select(one)));

    public static Html When(bool shown, Func<Html> one) => shown ? one() : new("");

    public override string ToString() => _text;

    /// <summary>Sends a page. Its addresses are relative, so that it works below any path of a proxy.</summary>
    /// <param name="styles">Where styles may come from, besides our own files.</param>
    /// <param name="forms">Where forms may lead, redirects included.</param>
    public Task WriteAsync(
        HttpContext http,
        int status = StatusCodes.Status200OK,
        string styles = "",
        string forms = "'none'"
    )
    {
        var bytes = Encoding.UTF8.GetBytes(_text);
        SetHeaders(http.Response, styles: styles, forms: forms);
        http.Response.StatusCode = status;
        http.Response.ContentLength = bytes.Length;
        return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
    }

    /// <summary>What every page tells the browser: nothing of another origin, in no frame, and kept nowhere.</summary>
    /// <param name="response">The page.</param>
    /// <param name="scripts">Where scripts may come from.</param>
    /// <param name="styles">Where styles may come from, besides our own files.</param>
    /// <param name="forms">Where forms may lead, redirects included.</param>
    public static void SetHeaders(
        HttpResponse response,
        string scripts = "'self'",
        string styles = "",
        string forms = "'none'"
    )
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src {scripts}; style-src 'self'{styles}; "
            + "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
            + $"frame-ancestors 'none'; base-uri 'none'; form-action {forms}";
        headers["Referrer-Policy"] = "no-referrer";
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        response.ContentType = "text/html; charset=utf-8";
    }

    private static string Encode(object? value) =>
        value is Html html ? html._text : HtmlEncoder.Default.Encode(SanitizedText.Show(value?.ToString() ?? ""));
}
