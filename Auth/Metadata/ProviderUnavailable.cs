using System.Globalization;
using System.Net;

namespace MinimalMcp.Auth;

/// <summary>
/// The response while the identity provider's metadata or keys cannot be fetched: 503 with Retry-After.
/// </summary>
internal static class ProviderUnavailable
{
    /// <summary>When the provider is contacted again.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    public static HttpRequestException Because(string sentence) =>
        new(sentence, null, HttpStatusCode.ServiceUnavailable);

    /// <summary>Wraps an endpoint so that it responds with 503 and Retry-After.</summary>
    public static RequestDelegate Answered(RequestDelegate endpoint) =>
        async http =>
        {
            try
            {
                await endpoint(http);
            }
            catch (HttpRequestException gone)
                when (gone.StatusCode is HttpStatusCode.ServiceUnavailable && !http.Response.HasStarted)
            {
                http.Explain(gone.Message);
                http.Response.Headers.RetryAfter = RetryAfter.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
                await Results
                    .Problem(
                        statusCode: StatusCodes.Status503ServiceUnavailable,
                        title: "Service unavailable",
                        detail: $"{gone.Message} Try again in {RetryAfter.TotalSeconds:0} seconds."
                    )
                    .ExecuteAsync(http);
            }
        };
}
