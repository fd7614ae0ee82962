using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace MinimalMcp.Outgoing;

/// <summary>What came of sending a request once: an answer or a failure. Polly's strategies judge by it.</summary>
internal sealed class Attempt(HttpMethod method, HttpResponseMessage? answer, Exception? failure) : IDisposable
{
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(2);

    public HttpResponseMessage? Answer => answer;

    public Exception? Failure => failure;

    /// <summary>The system itself answered, whatever the status: it would answer the same again.</summary>
    public bool IsFinal { get; init; }

    /// <summary>Set when headers were given to the family: from then on nothing is sent again.</summary>
    public bool HandedOver { get; init; }

    /// <summary>Whether it speaks against the upstream's health. An answer that is too large or elsewhere does not, nor does a caller who left.</summary>
    public bool Failed =>
        answer is not null
            ? (int)answer.StatusCode is 429 or >= 500
            : failure
                is HttpRequestException
                {
                    StatusCode: >= HttpStatusCode.InternalServerError,
                    HttpRequestError: not HttpRequestError.ConfigurationLimitExceeded
                };

    /// <summary>
    /// Only for reads (RFC 9110 section 9.2.1), and only when no answer came or one of a gateway. A Retry-After that is longer than a call
    /// can wait is taken as no.
    /// </summary>
    public bool MayBeRepeated =>
        !HandedOver
        && !IsFinal
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
                : (int)answer.StatusCode is 502 or 503 or 504 && !(RetryAfter > LongestRetryAfter)
        );

    public TimeSpan? RetryAfter =>
        answer?.Headers.RetryAfter switch
        {
            RetryConditionHeaderValue { Delta: { } delta } => delta,
            RetryConditionHeaderValue { Date: not null } => TimeSpan.MaxValue, // a date needs clocks that agree
            _ => null,
        };

    /// <summary>For the log and the metrics: the status, or what happened instead.</summary>
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

    /// <summary>Polly disposes of what it does not give back.</summary>
    public void Dispose() => answer?.Dispose();
}
