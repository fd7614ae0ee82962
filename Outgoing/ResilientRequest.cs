using System.Net;
using System.Text;
using Polly.CircuitBreaker;

namespace MinimalMcp.Outgoing;

/// <summary>
/// One upstream request, from the concurrency limiter to the last byte of the response. The family gets the response
/// when its headers arrive; the permit, the timeout and the circuit breaker's result stay open until the body ends,
/// since hangs and interruptions happen there too.
/// </summary>
internal sealed class ResilientRequest(
    Upstream upstream,
    HttpRequestMessage request,
    Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send,
    CancellationToken caller
)
{
    private readonly HttpMethod _method = request.Method;

    // A family that reads with a POST says so with the option ReadOnly: it may be sent again, and changed nothing.
    private readonly HttpMethod _effect =
        request.Options.TryGetValue(new HttpRequestOptionsKey<bool>("ReadOnly"), out var reads) && reads
            ? HttpMethod.Get
            : request.Method;

    private readonly string _path = request.RequestUri?.AbsolutePath ?? "";

    // A family that reads a stream in small parts sets the option Streamed: the size limit only protects memory, and
    // the timeout ends such a response.
    private readonly long _maxBytes =
        request.Options.TryGetValue(new HttpRequestOptionsKey<bool>("Streamed"), out var streamed) && streamed
            ? long.MaxValue
            : upstream.MaxResponseBytes;

    // A family whose upstream leads to several systems names the one that a request is for.
    private readonly Circuit _circuit = upstream.CircuitOf(
        request.Options.TryGetValue(new HttpRequestOptionsKey<string>("Circuit"), out var circuit) ? circuit : ""
    );

    private readonly TaskCompletionSource<HttpResponseMessage> _answer = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );

    // Its continuation, which reports the result, runs before the family reads on.
    private readonly TaskCompletionSource<Exception?> _bodyEnd = new();
    private CancellationToken _deadline,
        _stop;
    private int _attempts;

    public Task<HttpResponseMessage> StartAsync()
    {
        _ = RunAsync();
        return _answer.Task;
    }

    private async Task RunAsync()
    {
        using var deadline = new CancellationTokenSource(upstream.Deadline, upstream.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(caller, deadline.Token);
        (_deadline, _stop) = (deadline.Token, stop.Token);
        try
        {
            using var place = await upstream.EnterAsync(_stop);
            var attempt = await upstream.TryAsync(_circuit, AttemptAsync, _stop);
            if (attempt.Answer is null)
            {
                _answer.TrySetException(attempt.Failure!);
            }
            else if (!attempt.HandedOver)
            {
                await HandOverAsync(attempt.Answer);
            }
        }
        catch (Exception failure)
        {
            var told = failure is BrokenCircuitException open
                ? UpstreamFailure.Open(_circuit, open)
                : Explain(failure, answered: false);
            if (_answer.TrySetException(told) && told is HttpRequestException)
            {
                upstream.Log.Write(
                    upstream.Name,
                    _method.Method,
                    _path,
                    _attempts,
                    "refused",
                    TimeSpan.Zero,
                    failed: false
                );
            }
        }
    }

    private async ValueTask<RequestAttempt> AttemptAsync(CancellationToken cancellationToken)
    {
        _attempts++;
        var started = upstream.Time.GetTimestamp();
        var answered = false;
        RequestAttempt attempt;
        try
        {
            var answer = await send(request, cancellationToken);
            if ((int)answer.StatusCode is 300 or 301 or 302 or 303 or 307 or 308)
            {
                var toHttps = IsSamePlaceWithTls(answer.Headers.Location);
                answer.Dispose();
                throw toHttps
                    ? UpstreamFailure.NeedsTls(upstream, request.RequestUri!)
                    : UpstreamFailure.Redirected(upstream, answer.StatusCode);
            }

            if ((int)answer.StatusCode == 400 && await WantsTlsAsync(answer, cancellationToken))
            {
                answer.Dispose();
                throw UpstreamFailure.NeedsTls(upstream, request.RequestUri!);
            }

            answer.ReasonPhrase = null; // the upstream's own text, which EnsureSuccessStatusCode would repeat
            attempt = new(_effect, answer, null);
            if (!attempt.Failed)
            {
                answered = true;
                var failure = await HandOverAsync(answer);
                attempt = new(_effect, failure is null ? answer : null, failure) { HandedOver = true };
            }
        }
        catch (Exception failure)
        {
            attempt = new(_effect, null, Explain(failure, answered));
        }

        upstream.Log.Write(
            upstream.Name,
            _method.Method,
            _path,
            _attempts,
            attempt.Outcome,
            upstream.Time.GetElapsedTime(started),
            failed: attempt.Failed
                || attempt.IsServerError
                || attempt.Failure is not (null or OperationCanceledException)
        );
        return attempt;
    }

    private bool IsSamePlaceWithTls(Uri? location) =>
        location is { IsAbsoluteUri: true, Scheme: "https" }
        && request.RequestUri is { Scheme: "http" } sent
        && location.Host.Equals(sent.Host, StringComparison.OrdinalIgnoreCase);

    // What servers with TLS answer to plain HTTP: Go ("to an HTTPS server"), nginx and Apache ("HTTPS port",
    // "SSL-enabled").
    private async Task<bool> WantsTlsAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        const int MaxBytes = 4096;
        var isShort = answer.Content.Headers.ContentLength <= MaxBytes || answer.Version == HttpVersion.Version10;
        if (request.RequestUri is not { Scheme: "http" } || !isShort)
        {
            return false;
        }

        var bytes = new byte[MaxBytes];
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var length = await stream.ReadAtLeastAsync(bytes, MaxBytes, throwOnEndOfStream: false, cancellationToken);
        var text = Encoding.ASCII.GetString(bytes, 0, length);
        var headers = answer.Content.Headers;
        answer.Content = new ByteArrayContent(bytes, 0, length);
        foreach (var (name, values) in headers.NonValidated)
        {
            answer.Content.Headers.TryAddWithoutValidation(name, values);
        }

        return text.Contains("HTTPS server", StringComparison.OrdinalIgnoreCase)
            || text.Contains("HTTPS port", StringComparison.OrdinalIgnoreCase)
            || text.Contains("SSL-enabled", StringComparison.OrdinalIgnoreCase);
    }

    // Gives the family the answer, and returns when its body has ended; with what went wrong, if anything did.
    private async Task<Exception?> HandOverAsync(HttpResponseMessage answer)
    {
        if (_method == HttpMethod.Head)
        {
            _answer.TrySetResult(answer); // its Content-Length is of a body that is not sent
            return null;
        }

        if (answer.Content.Headers.ContentLength > _maxBytes)
        {
            answer.Dispose();
            var tooLarge = UpstreamFailure.TooLarge(upstream, _effect);
            _answer.TrySetException(tooLarge);
            return tooLarge;
        }

        var wire = answer.Content;
        var body = new ResponseStream(await wire.ReadAsStreamAsync(_stop), _maxBytes, this, _stop);
        answer.Content = new StreamContent(body);
        foreach (var (name, values) in wire.Headers.NonValidated)
        {
            answer.Content.Headers.TryAddWithoutValidation(name, values);
        }

        // The timeout must end the response even when nobody reads.
        await using var abort = _stop.UnsafeRegister(static state => ((ResponseStream)state!).Abort(), body);
        _answer.TrySetResult(answer);
        return await _bodyEnd.Task;
    }

    public void End(Exception? failure) => _bodyEnd.TrySetResult(failure);

    public Exception TooLarge() => UpstreamFailure.TooLarge(upstream, _effect);

    /// <summary>The message for an exception. Cancellation by the caller and our own bugs are unchanged.</summary>
    public Exception Explain(Exception failure, bool answered) =>
        failure switch
        {
            HttpRequestException { StatusCode: not null } => failure, // already has a message
            _ when _deadline.IsCancellationRequested => UpstreamFailure.Late(upstream, _effect, _attempts),
            _ when _stop.IsCancellationRequested => failure as OperationCanceledException
                ?? new OperationCanceledException(caller),
            OperationCanceledException when answered => failure,
            _ => UpstreamFailure.Of(failure, upstream, _effect, answered) ?? failure,
        };
}
