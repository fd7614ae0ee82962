using System.Globalization;
using System.Text.Json.Nodes;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Responses of the endpoints: JSON for programs (RFC 6749 section 5), a page for users. None may be cached.
/// </summary>
internal static class OAuthResponses
{
    private const int MaxJson = 64 * 1024;

    private static readonly OAuthException Unavailable = new(
        "temporarily_unavailable",
        "The server's store is unavailable. Try again in a few seconds.",
        StatusCodes.Status503ServiceUnavailable
    )
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };

    public static RequestDelegate Json(
        Func<HttpContext, Task<JsonObject?>> answer,
        int status = StatusCodes.Status200OK
    ) =>
        async http =>
        {
            http.Response.Headers.CacheControl = "no-store";
            http.Response.Headers.Pragma = "no-cache";
            try
            {
                if (await answer(http) is { } json)
                {
                    http.Response.StatusCode = status;
                    await http.Response.WriteAsJsonAsync(json, http.RequestAborted);
                }
            }
            catch (Exception refused) when (Refusal(refused) is { } refusal)
            {
                Say(http, refusal);
                if (refusal.IsBasic)
                {
                    http.Response.Headers.WWWAuthenticate = "Basic realm=\"clients\", charset=\"UTF-8\"";
                }

                await http.Response.WriteAsJsonAsync(
                    new JsonObject { ["error"] = refusal.Error, ["error_description"] = refusal.Message },
                    http.RequestAborted
                );
            }
        };

    public static RequestDelegate Page(Func<HttpContext, Task> answer) =>
        async http =>
        {
            http.Response.Headers.CacheControl = "no-store";
            http.Response.Headers["Referrer-Policy"] = "no-referrer";
            try
            {
                await answer(http);
            }
            catch (Exception refused) when (Refusal(refused) is { } refusal)
            {
                Say(http, refusal);
                await http
                    .RequestServices.GetRequiredService<IAuthorizationPages>()
                    .ExplainAsync(http, refusal.Status, "The sign-in cannot continue", refusal.Message);
            }
        };

    public static async Task<byte[]> ReadJsonAsync(HttpContext http)
    {
        if (!http.Request.HasJsonContentType())
        {
            throw new OAuthException("invalid_client_metadata", "Send the metadata as application/json.");
        }

        using var read = new MemoryStream();
        var buffer = new byte[8 * 1024];
        while (await http.Request.Body.ReadAsync(buffer, http.RequestAborted) is > 0 and var count)
        {
            read.Write(buffer, 0, count);
            if (read.Length > MaxJson)
            {
                throw new OAuthException(
                    "invalid_client_metadata",
                    $"The metadata has more than {MaxJson} bytes.",
                    StatusCodes.Status413PayloadTooLarge
                );
            }
        }

        return read.ToArray();
    }

    private static OAuthException? Refusal(Exception refused) =>
        refused switch
        {
            OAuthException known => known,
            StorageException => Unavailable,
            SignInException gone => new(
                "temporarily_unavailable",
                gone.Message,
                StatusCodes.Status503ServiceUnavailable
            )
            {
                RetryAfter = TimeSpan.FromSeconds(30),
            },
            BadHttpRequestException broken => new("invalid_request", WhyOf(broken.StatusCode), broken.StatusCode),
            _ => null,
        };

    // RFC 9110 sections 15.5.14, 15.5.9 and 15.5.1.
    private static string WhyOf(int status) =>
        status switch
        {
            StatusCodes.Status413PayloadTooLarge => "The body is too large. Send the parameters of one request only.",
            StatusCodes.Status408RequestTimeout => "The body came too slowly. Send the request again.",
            _ => "The body could not be read: it ends too early, or its chunks are wrong. Send the request again.",
        };

    private static void Say(HttpContext http, OAuthException refusal)
    {
        http.Explain(refusal.Message);
        http.Response.StatusCode = refusal.Status;
        if (refusal.RetryAfter is { } wait)
        {
            http.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }
    }
}
