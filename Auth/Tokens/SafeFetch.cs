using System.Net;
using System.Security.Authentication;

namespace MinimalMcp.Auth.Tokens;

/// <summary>Who chose the URL of a document, which decides where it may point.</summary>
internal enum UrlSource
{
    /// <summary>
    /// Anybody: only https and public addresses, or callers could make the server fetch from its own network (SSRF).
    /// </summary>
    Stranger,

    /// <summary>As <see cref="Stranger"/>, and loopback over http as well: for tests.</summary>
    Test,

    /// <summary>The operator: https anywhere, http on loopback, through the machine's proxy if it has one.</summary>
    Operator,
}

/// <summary>
/// Fetches small JSON documents: no redirects, no cookies, status 200 only, within five seconds. Not a client of the
/// factory: its circuit breaker would let one broken URL block all others, and its retries would double the promised
/// rate.
/// </summary>
internal sealed class SafeFetch : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private readonly UrlSource _namedBy;
    private readonly HttpMessageInvoker _http;

    public SafeFetch(UrlSource namedBy = UrlSource.Stranger)
    {
        _namedBy = namedBy;
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = namedBy is UrlSource.Operator,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = Deadline,
            MaxConnectionsPerServer = 4,
            MaxResponseHeadersLength = 16, // KiB
            PooledConnectionLifetime = TimeSpan.FromMinutes(1), // then DNS is resolved again
        };
        if (namedBy is not UrlSource.Operator)
        {
            sockets.ConnectCallback = (context, cancellationToken) =>
                PublicAddress.ConnectAsync(
                    context.DnsEndPoint,
                    andLoopback: namedBy is UrlSource.Test,
                    cancellationToken
                );
        }

        _http = new(sockets);
    }

    public bool AllowsLoopback => _namedBy is not UrlSource.Stranger;

    /// <exception cref="HttpRequestException">
    /// The document could not be read. The message contains nothing of the response.
    /// </exception>
    public async Task<byte[]> GetAsync(
        Uri uri,
        int maxBytes,
        CancellationToken cancellationToken,
        string? bearer = null
    )
    {
        CheckAddress(uri);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Deadline);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            request.Headers.Accept.ParseAdd("application/json");
            request.Headers.Authorization = bearer is null ? null : new("Bearer", bearer);
            using var answer = await _http.SendAsync(request, limit.Token);
            CheckHead(uri, answer, maxBytes);
            return await ReadAsync(uri, answer, maxBytes, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(uri, $"did not respond completely within {Deadline.TotalSeconds:0} seconds");
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException and not Refusal)
        {
            throw Failed(
                uri,
                broken.InnerException switch
                {
                    NotPublicException => "has an address that is not public",
                    AuthenticationException when _namedBy is UrlSource.Operator =>
                        "has a certificate that this machine does not trust. For a private CA, set SSL_CERT_FILE "
                            + "to a file with its certificate",
                    AuthenticationException => "has a certificate that this machine does not trust",
                    _ => "cannot be reached, or the connection was interrupted",
                }
            );
        }
    }

    public void Dispose() => _http.Dispose();

    private void CheckAddress(Uri uri)
    {
        if (
            !uri.IsAbsoluteUri
            || uri.UserInfo.Length > 0
            || !(
                uri.Scheme == "https" || (uri.Scheme == "http" && _namedBy is not UrlSource.Stranger && uri.IsLoopback)
            )
        )
        {
            throw new Refusal("The URL must be https and must not contain a user name.");
        }
    }

    private static void CheckHead(Uri uri, HttpResponseMessage answer, int maxBytes)
    {
        if (answer.StatusCode is not HttpStatusCode.OK)
        {
            var status = (int)answer.StatusCode;
            var hint = status is >= 300 and < 400 ? "; redirects are not followed" : "";
            throw Failed(uri, $"returned status {status}{hint}");
        }

        if (
            answer.Content.Headers.ContentType?.MediaType is not { } type
            || !(
                type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase)
            )
        )
        {
            throw Failed(uri, "returned something that is not JSON (Content-Type)");
        }

        if (answer.Content.Headers.ContentLength > maxBytes)
        {
            throw TooLarge(uri, maxBytes);
        }
    }

    private static async Task<byte[]> ReadAsync(
        Uri uri,
        HttpResponseMessage answer,
        int maxBytes,
        CancellationToken cancellationToken
    )
    {
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        using var read = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            if (read.Length + count > maxBytes)
            {
                throw TooLarge(uri, maxBytes);
            }

            read.Write(buffer, 0, count);
        }

        return read.ToArray();
    }

    private static Refusal TooLarge(Uri uri, int maxBytes) => Failed(uri, $"returned more than {maxBytes} bytes");

    private static Refusal Failed(Uri uri, string what) => new($"{uri.GetLeftPart(UriPartial.Path)} {what}.");

    private sealed class Refusal(string message) : HttpRequestException(message);
}
