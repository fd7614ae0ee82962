using System.Net;
using System.Security.Authentication;

namespace MinimalMcp.Auth.Tokens;

/// <summary>Who named the address of a document, and so where it may be.</summary>
internal enum UrlSource
{
    /// <summary>
    /// Anybody: only https and only public addresses, or the server would fetch for strangers what only its own network
    /// may see.
    /// </summary>
    Stranger,

    /// <summary>As <see cref="Stranger"/>, and loopback over http as well: for tests.</summary>
    Test,

    /// <summary>The settings: https anywhere, http on loopback, through the machine's proxy if it has one.</summary>
    Operator,
}

/// <summary>
/// Fetches small JSON documents: no redirect, no cookies, status 200 only, five seconds for all of it. Not a client of
/// the factory: its breaker would let one stranger's broken address stop everybody else's, and its retries would double
/// what is promised to be fetched twice a minute.
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
            PooledConnectionLifetime = TimeSpan.FromMinutes(1), // and then the name is looked up again
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
    /// Nothing came that could be read. The message is a sentence, and has nothing of the answer in it.
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
            throw Failed(uri, $"did not answer completely within {Deadline.TotalSeconds:0} seconds");
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException and not Refusal)
        {
            throw Failed(
                uri,
                broken.InnerException switch
                {
                    NotPublicException => "is at an address that is not public",
                    AuthenticationException when _namedBy is UrlSource.Operator =>
                        "has a certificate that this machine does not trust. If it is of a CA of your own, set "
                            + "SSL_CERT_FILE to a file with that CA's certificate",
                    AuthenticationException => "has a certificate that this machine does not trust",
                    _ => "cannot be reached, or broke off",
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
            throw new Refusal("A document is fetched from an https address only, and without a user name in it.");
        }
    }

    private static void CheckHead(Uri uri, HttpResponseMessage answer, int maxBytes)
    {
        if (answer.StatusCode is not HttpStatusCode.OK)
        {
            throw Failed(
                uri,
                "answered "
                    + $"{(int)answer.StatusCode}{((int)answer.StatusCode is >= 300 and < 400 ? "; redirects are not followed" : "")}"
            );
        }

        if (
            answer.Content.Headers.ContentType?.MediaType is not { } type
            || !(
                type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase)
            )
        )
        {
            throw Failed(uri, "answered something that is not JSON (Content-Type)");
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

    private static Refusal TooLarge(Uri uri, int maxBytes) => Failed(uri, $"answered more than {maxBytes} bytes");

    private static Refusal Failed(Uri uri, string what) => new($"{uri.GetLeftPart(UriPartial.Path)} {what}.");

    private sealed class Refusal(string message) : HttpRequestException(message);
}
