using System.Net;
using System.Text;

namespace MinimalMcp.Hub.Remote;

/// <summary>
/// Every request of one connection to a remote server, under the SDK's client: the credential and where it may go, the
/// limits of responses, and what shows that the connection is lost, which the SDK's client does not always notice.
/// </summary>
internal sealed class RemoteHandler : DelegatingHandler
{
    private const int MaxRedirects = 3,
        MaxError = 64 << 10;

    private static readonly TimeSpan Steady = TimeSpan.FromMinutes(1),
        LongestPause = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<Exception> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServerDefinition _server;
    private readonly HubOptions _options;
    private readonly UpstreamCredential _credential;
    private readonly Action _listsChanged;
    private readonly TimeSpan _limit;
    private readonly bool _probes;
    private int _oversized;

    /// <param name="probes">
    /// Sends server/discover. Otherwise the SDK's client is answered here that the server does not know it, and
    /// initializes: it then takes whichever revision the server has.
    /// </param>
    public RemoteHandler(
        ServerDefinition server,
        HubOptions options,
        UpstreamCredential credential,
        Action listsChanged,
        bool probes
    )
        : base(RemoteAddress.Sockets(options))
    {
        (_server, _options, _credential, _listsChanged, _probes) = (server, options, credential, listsChanged, probes);
        // A response begins when the call is over, at servers that answer with JSON.
        _limit = options.ServerTimeout > options.StartTimeout ? options.ServerTimeout : options.StartTimeout;
    }

    private bool IsSse => _server.Transport is TransportType.Sse;

    /// <summary>Completes with the reason when the connection is lost.</summary>
    public Task<Exception> Lost => _lost.Task;

    /// <summary>How many messages were larger than the limit.</summary>
    public int Oversized => _oversized;

    /// <summary>The server can send messages of its own, such as that its lists have changed.</summary>
    public bool IsListening { get; private set; }

    public void Lose(Exception reason) => _lost.TrySetResult(reason);

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (
            !_probes
            && request.Headers.TryGetValues("Mcp-Method", out var method)
            && method.Contains("server/discover")
        )
        {
            return new(HttpStatusCode.BadRequest) { RequestMessage = request };
        }

        if (!IsSameOrigin(request.RequestUri!))
        {
            // Over SSE the server names the address for messages.
            throw Told(
                Refuse("it wants messages at another origin than its own, and its credential goes to its own only")
            );
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_limit);
        try
        {
            var response = await SendWithCredentialAsync(request, limit.Token);
            await CheckAsync(request, response, limit.Token);
            return await BoundedAsync(request, response, limit.Token);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Told(failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamLostException($"it did not answer within {_limit.TotalSeconds:0} s");
        }
    }

    private async Task<HttpResponseMessage> SendWithCredentialAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        await _credential.AddAsync(request.Headers, cancellationToken);
        var response = await SendFollowingAsync(request, cancellationToken);
        if (
            response.StatusCode is HttpStatusCode.Unauthorized
            && await _credential.RenewAsync(request.Headers, cancellationToken)
        )
        {
            response.Dispose();
            await _credential.AddAsync(request.Headers, cancellationToken);
            response = await SendFollowingAsync(request, cancellationToken);
            if (response.StatusCode is HttpStatusCode.Unauthorized)
            {
                response.Dispose();
                await _credential.GiveUpAsync(request.Headers, cancellationToken);
            }
        }

        return response;
    }

    // 307 and 308 keep method and body (RFC 9110 section 15.4); servers answer so to a slash too many or too few.
    private async Task<HttpResponseMessage> SendFollowingAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        for (var redirects = 0; ; redirects++)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
            {
                return response;
            }

            var target = response.Headers.Location is { } location ? new Uri(request.RequestUri!, location) : null;
            var keeps = (int)response.StatusCode is 307 or 308 || request.Method == HttpMethod.Get;
            response.Dispose();
            if (target is null || !keeps || redirects == MaxRedirects || !IsSameOrigin(target))
            {
                throw Refuse(
                    $"it answered {(int)response.StatusCode}, a redirect that is not followed, because it would take "
                        + "the credential elsewhere. Set url to the address where the server itself answers"
                );
            }

            request.RequestUri = target;
        }
    }

    private async Task CheckAsync(
        HttpRequestMessage request,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var hasSession = request.Headers.Contains("Mcp-Session-Id") || (IsSse && request.Method == HttpMethod.Post);
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized:
                throw Refuse($"it refuses our credential (401). {_credential.Fix}");
            case HttpStatusCode.Forbidden when !hasSession:
                throw Refuse($"it refuses us (403). {_credential.Fix}");
            case HttpStatusCode.NotFound when hasSession:
                throw Ended();
            // Many servers answer 400 where MCP wants 404 (Streamable HTTP, "Session Management").
            case HttpStatusCode.BadRequest when hasSession && await NamesSessionAsync(response, cancellationToken):
                throw Ended();
        }

        UpstreamLostException Ended()
        {
            response.Dispose();
            return new("its session has ended");
        }
    }

    private static async Task<bool> NamesSessionAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaxError];
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var length = await body.ReadAtLeastAsync(bytes, MaxError, throwOnEndOfStream: false, cancellationToken);
        var type = response.Content.Headers.ContentType;
        response.Content = new ByteArrayContent(bytes, 0, length) { Headers = { ContentType = type } };
        return Encoding.UTF8.GetString(bytes, 0, length).Contains("session", StringComparison.OrdinalIgnoreCase);
    }

    private async Task<HttpResponseMessage> BoundedAsync(
        HttpRequestMessage request,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var isEvents = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        var lasts =
            isEvents
            && response.IsSuccessStatusCode
            && request.Method == HttpMethod.Get
            && !request.Headers.Contains("Last-Event-ID");
        IsListening |= lasts;
        var wire = response.Content;
        var body = new MessageStream(
            await wire.ReadAsStreamAsync(cancellationToken),
            _options.MaxMessageBytes,
            isEvents,
            refused =>
            {
                Interlocked.Increment(ref _oversized);
                if (lasts)
                {
                    Lose(refused);
                }
            },
            lasts ? Timeout.InfiniteTimeSpan : _limit, // however slowly it comes
            lasts ? new LastingStream(this, request).EndedAsync : null
        );
        response.Content = new StreamContent(body);
        foreach (var (name, values) in wire.Headers.NonValidated)
        {
            response.Content.Headers.TryAddWithoutValidation(name, values);
        }

        return response;
    }

    private bool IsSameOrigin(Uri target) =>
        Uri.Compare(
            target,
            _server.Address!,
            UriComponents.SchemeAndServer,
            UriFormat.SafeUnescaped,
            StringComparison.OrdinalIgnoreCase
        ) == 0;

    private static UpstreamRefusedException Refuse(string why) => new(why);

    private Exception Told(Exception failure)
    {
        var told = failure is UpstreamRefusedException or UpstreamLostException
            ? failure
            : new UpstreamLostException(RemoteAddress.Reason(failure), failure);
        // Over SSE the SDK's client would try again and again before it is connected, and not say why.
        if (IsSse || told is not UpstreamLostException { IsConnected: true })
        {
            Lose(told);
        }

        return told;
    }

    // Proxies end streams that are idle, which says nothing of the session: it is opened again. What the server
    // announced meanwhile is unknown, so its lists are read again.
    private sealed class LastingStream(RemoteHandler connection, HttpRequestMessage first)
    {
        private readonly Uri _address = first.RequestUri!;
        private readonly KeyValuePair<string, IEnumerable<string>>[] _headers = [.. first.Headers];
        private DateTime _opened = DateTime.UtcNow;
        private TimeSpan _pause = TimeSpan.Zero;

        public async Task<Stream?> EndedAsync(Exception? failure, CancellationToken cancellationToken)
        {
            if (connection.IsSse)
            {
                connection.Lose(new UpstreamLostException("it closed the connection", failure));
                return null; // over SSE this stream is the session
            }

            while (true)
            {
                _pause = DateTime.UtcNow - _opened > Steady ? TimeSpan.Zero : _pause;
                await Task.Delay(_pause, cancellationToken);
                _pause = TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, 1 + _pause.TotalSeconds * 2));
                _opened = DateTime.UtcNow;
                using var request = new HttpRequestMessage(HttpMethod.Get, _address);
                foreach (var (name, values) in _headers)
                {
                    request.Headers.TryAddWithoutValidation(name, values);
                }

                var response = await connection.ReopenAsync(request, cancellationToken);
                if (response.StatusCode >= HttpStatusCode.InternalServerError)
                {
                    response.Dispose();
                }
                else if (!response.IsSuccessStatusCode)
                {
                    connection.IsListening = false;
                    response.Dispose();
                    return null;
                }
                else
                {
                    connection._listsChanged();
                    return await response.Content.ReadAsStreamAsync(cancellationToken);
                }
            }
        }
    }

    private async Task<HttpResponseMessage> ReopenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await SendWithCredentialAsync(request, cancellationToken);
            await CheckAsync(request, response, cancellationToken);
            return response;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Told(failure);
        }
    }
}
