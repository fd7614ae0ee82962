using System.Globalization;
using System.Net;

namespace MinimalMcp.Auth;

/// <summary>What the identity provider publishes cannot be had now, and nobody who asks for it is at fault.</summary>
internal static class ProviderUnavailable
{
    /// <summary>The provider is asked again after so long.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    public static HttpRequestException Because(string sentence) =>
        new(sentence, null, HttpStatusCode.ServiceUnavailable);

    /// <summary>The same endpoint, which then answers 503 and when to ask again.</summary>
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
                        title: "Not possible now",
                        detail: $"{gone.Message} Try again in {RetryAfter.TotalSeconds:0} seconds."
                    )
                    .ExecuteAsync(http);
            }
        };
}
