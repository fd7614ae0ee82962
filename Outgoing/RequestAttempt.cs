using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace MinimalMcp.Outgoing;

/// <summary>The result of one attempt: a response or a failure. Polly's strategies evaluate it.</summary>
internal sealed class RequestAttempt(HttpMethod method, HttpResponseMessage? answer, Exception? failure) : IDisposable
{
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(2);

    public HttpResponseMessage? Answer => answer;

    public Exception? Failure => failure;

    /// <summary>Set when headers were given to the family: from then on nothing is sent again.</summary>
    public bool HandedOver { get; init; }

    /// <summary>
    /// Whether it counts as a failure of the upstream. A response that is too large or a redirect does not, nor does
    /// cancellation.
    /// </summary>
    public bool Failed =>
        answer is not null
            ? (int)answer.StatusCode == 429 || (IsServerError && !IsUpstreamsOwn)
            : failure
                is HttpRequestException
                {
                    StatusCode: >= HttpStatusCode.InternalServerError,
                    HttpRequestError: not HttpRequestError.ConfigurationLimitExceeded
                };

    public bool IsServerError => (int?)answer?.StatusCode >= 500;

    /// <summary>
    /// The upstream is up and explains in JSON why it refused: a port that is taken, a query that took too long.
    /// Gateways answer 502 and 504 for it, and 503 without JSON.
    /// </summary>
    private bool IsUpstreamsOwn =>
        answer is { StatusCode: not (HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout) }
        && answer.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>
    /// Only for reads (RFC 9110 section 9.2.1), and only when no answer came or one of a gateway. A Retry-After that
    /// is longer than a call can wait is taken as no.
    /// </summary>
    public bool MayBeRepeated =>
        !HandedOver
        && (method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options)
        && (
            answer is null
                ? failure
                    is HttpRequestException
                    {
                        HttpRequestError: HttpRequestError.NameResolutionError
                            or HttpRequestError.ConnectionError
                            or HttpRequestError.SecureConnectionError
                            or HttpRequestError.ResponseEnded
                    }
                : (int)answer.StatusCode is 502 or 503 or 504 && !IsUpstreamsOwn && !(RetryAfter > LongestRetryAfter)
        );

    public TimeSpan? RetryAfter =>
        answer?.Headers.RetryAfter switch
        {
            RetryConditionHeaderValue { Delta: { } delta } => delta,
            RetryConditionHeaderValue { Date: not null } => TimeSpan.MaxValue, // a date requires synchronized clocks
            _ => null,
        };

    /// <summary>The status code, or the kind of failure, for logs and metrics.</summary>
    public string Outcome =>
        failure switch
        {
            null => ((int)answer!.StatusCode).ToString(CultureInfo.InvariantCulture),
            OperationCanceledException => "cancelled",
            HttpRequestException { StatusCode: HttpStatusCode.GatewayTimeout } => "deadline",
            HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } broken =>
                broken.HttpRequestError.ToString(),
            HttpRequestException { StatusCode: < HttpStatusCode.BadRequest and { } redirect } => (
                (int)redirect
            ).ToString(CultureInfo.InvariantCulture),
            _ => "failed",
        };

    /// <summary>Polly disposes results that it does not return.</summary>
    public void Dispose() => answer?.Dispose();
}
