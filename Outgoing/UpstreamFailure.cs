using System.Globalization;
using System.Net;
using System.Net.Sockets;
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
            $"{upstream.Name} is busy: {upstream.MaxInFlight} requests are under way and the queue is full."
                + " Nothing was sent; try again in a few seconds."
        );

    public static HttpRequestException Open(Circuit circuit, BrokenCircuitException open)
    {
        var seconds = Math.Ceiling(open.RetryAfter?.TotalSeconds ?? 0).ToString(CultureInfo.InvariantCulture);
        var again = circuit.IsProbed
            ? "it is being tried again now, so call again in a few seconds"
            : $"it is tried again in {seconds} seconds";
        return Refused(
            $"{circuit.Name} failed most requests, and none was sent since {circuit.OpenSince} UTC; {again}."
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
            $"The answer of {upstream.Name} is larger than {upstream.MaxResponseBytes} bytes and was not read."
                + $" Ask for less, or raise Outgoing:MaxResponseBytesOf:{upstream.Name}.{Doubt(method)}",
            null,
            HttpStatusCode.BadGateway
        );

    public static HttpRequestException Redirected(Upstream upstream, HttpStatusCode status) =>
        new(
            $"{upstream.Name} answered {(int)status}. Redirects are not followed: check {upstream.Name}:Url, and"
                + $" whether a login page stands in front of {upstream.Name}.",
            null,
            status
        );

    /// <summary>Plain HTTP was sent to a port with TLS.</summary>
    public static HttpRequestException NeedsTls(Upstream upstream, Uri url) =>
        new(
            $"{upstream.Name} wants TLS. Set {upstream.Name}:Url to https://{url.Authority}.",
            null,
            HttpStatusCode.BadGateway
        );

    /// <summary>What the connection threw, in plain words. Null for what is not the upstream's doing.</summary>
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
            // Nothing but the network has answered yet, so its reason may be logged.
            HttpRequestError.ConnectionError when SocketErrorOf(failure) is SocketError.AccessDenied => new(
                error.Value,
                $"{upstream.Name} cannot be reached: the user of this server may not open its socket. Add the user to"
                    + " the socket's group (for Docker: group_add, or usermod -aG docker), and restart this server.",
                failure,
                HttpStatusCode.BadGateway
            ),
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
                $"{upstream.Name} cannot be reached: the TLS connection failed and nothing was sent."
                    + $" {TlsFix(failure, upstream.Name)}",
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

    private static string TlsFix(Exception failure, string name) =>
        IsAboutCertificate(failure)
            ? $"Its certificate is not trusted. For a self-signed one set {name}:Certificate to its SHA-256"
                + " fingerprint; for one of a CA of your own set SSL_CERT_FILE to a file with the CA's certificate."
            : $"It may speak plain HTTP there: check whether {name}:Url should begin with http://.";

    private static bool IsAboutCertificate(Exception? failure) =>
        failure is not null
        && (
            (
                failure is AuthenticationException
                && failure.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase)
            ) || IsAboutCertificate(failure.InnerException)
        );

    private static SocketError? SocketErrorOf(Exception? failure) =>
        failure is SocketException socket ? socket.SocketErrorCode
        : failure is null ? null
        : SocketErrorOf(failure.InnerException);

    private static HttpRequestException Refused(string sentence) =>
        new(sentence, null, HttpStatusCode.ServiceUnavailable);

    private static string Seconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} seconds");

    private static string Doubt(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options
            ? ""
            : " If it was to change something, that may be done all the same: look before trying again.";
}
