using System.Globalization;
using System.Net;
using System.Security.Authentication;
using Polly.CircuitBreaker;

namespace MinimalMcp.Outgoing;

/// <summary>
/// The error messages of upstream requests. They contain nothing that an upstream sent, not even in an inner exception,
/// which would be logged: malformed data may hold a secret.
/// </summary>
internal static class UpstreamFailure
{
    public static HttpRequestException Full(Upstream upstream) =>
        Refused(
            $"{upstream.Name} is busy: {upstream.MaxInFlight} requests are under way and the queue is full. Nothing "
                + "was sent; try again in a few seconds."
        );

    public static HttpRequestException Open(Upstream upstream, BrokenCircuitException open)
    {
        var seconds = Math.Ceiling(open.RetryAfter?.TotalSeconds ?? 0).ToString(CultureInfo.InvariantCulture);
        var again = upstream.IsProbed
            ? "it is being tried again now, so call again in a few seconds"
            : $"it is tried again in {seconds} seconds";
        return Refused(
            $"{upstream.Name} failed most requests, and none was sent since {upstream.OpenSince} UTC; {again}."
        );
    }

    public static HttpRequestException Late(Upstream upstream, HttpMethod method, int attempts) =>
        new(
            attempts == 0
                ? $"{upstream.Name} was busy with other requests for {Seconds(upstream.Deadline)}; nothing was sent. "
                    + "Try again later."
                : $"{upstream.Name} did not answer completely within {Seconds(upstream.Deadline)}.{Doubt(method)}",
            null,
            HttpStatusCode.GatewayTimeout
        );

    public static HttpRequestException TooLarge(Upstream upstream, HttpMethod method) =>
        new(
            HttpRequestError.ConfigurationLimitExceeded,
            $"The answer of {upstream.Name} is larger than {upstream.MaxResponseBytes} bytes and was not read. Ask "
                + $"for less, or raise Outgoing:MaxResponseBytes.{Doubt(method)}",
            null,
            HttpStatusCode.BadGateway
        );

    public static HttpRequestException Redirected(Upstream upstream, HttpStatusCode status) =>
        new(
            $"{upstream.Name} answered {(int)status}. Redirects are not followed: check {upstream.Name}:Url.",
            null,
            status
        );

    /// <summary>The message for an exception of the connection. Null when the upstream did not cause it.</summary>
    public static HttpRequestException? Of(Exception failure, Upstream upstream, HttpMethod method, bool answered)
    {
        var error = failure switch
        {
            HttpRequestException http => http.HttpRequestError,
            HttpIOException io => io.HttpRequestError,
            // the connect timeout expired
            OperationCanceledException when !answered => HttpRequestError.ConnectionError,
            AuthenticationException => HttpRequestError.SecureConnectionError,
            IOException or InvalidDataException => HttpRequestError.Unknown,
            _ => (HttpRequestError?)null,
        };
        return error switch
        {
            null => null,
            // Only the network was involved so far, so its reason may be logged.
            HttpRequestError.NameResolutionError
            or HttpRequestError.ConnectionError
            or HttpRequestError.ProxyTunnelError => new(
                error.Value,
                $"{upstream.Name} cannot be reached; nothing was sent. Check {upstream.Name}:Url.",
                failure,
                HttpStatusCode.BadGateway
            ),
            HttpRequestError.SecureConnectionError => new(
                error.Value,
                $"{upstream.Name} cannot be reached safely: the TLS connection failed and nothing was "
                    + $"sent. Check {upstream.Name}:Url and its certificate; if that is of a CA of your own, set "
                    + "SSL_CERT_FILE to a file with the CA's certificate.",
                failure,
                HttpStatusCode.BadGateway
            ),
            HttpRequestError.ConfigurationLimitExceeded => new(
                error.Value,
                $"The answer of {upstream.Name} has too many headers.{Doubt(method)}",
                null,
                HttpStatusCode.BadGateway
            ),
            HttpRequestError.InvalidResponse when !answered => new(
                error.Value,
                $"{upstream.Name} answered something that is not HTTP. Check {upstream.Name}:Url.{Doubt(method)}",
                null,
                HttpStatusCode.BadGateway
            ),
            _ when answered => new(
                error.Value,
                $"The answer of {upstream.Name} broke off.{Doubt(method)}",
                null,
                HttpStatusCode.BadGateway
            ),
            // Reset or closed: no response came.
            _ => new(
                HttpRequestError.ResponseEnded,
                $"{upstream.Name} closed the connection without an answer.{Doubt(method)}",
                null,
                HttpStatusCode.BadGateway
            ),
        };
    }

    private static HttpRequestException Refused(string sentence) =>
        new(sentence, null, HttpStatusCode.ServiceUnavailable);

    private static string Seconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} seconds");

    private static string Doubt(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options
            ? ""
            : " If it was to change something, that may be done all the same: look before trying again.";
}
