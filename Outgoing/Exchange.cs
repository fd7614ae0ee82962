using Polly.CircuitBreaker;

namespace MinimalMcp.Outgoing;

/// <summary>
/// One request, from waiting for its turn to the last byte of its answer. The family gets the answer when the headers are there; the place
/// in the bulkhead, the deadline and the breaker's verdict go on until the body ends, since a hang or a cut comes there just as well.
/// </summary>
internal sealed class Exchange(
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

    // A family that can tell its system's own answers, with any status, from those of a gateway, says so with IsAnswer.
    private readonly Func<HttpResponseMessage, bool>? _isAnswer = request.Options.TryGetValue(
        new HttpRequestOptionsKey<Func<HttpResponseMessage, bool>>("IsAnswer"),
        out var isAnswer
    )
        ? isAnswer
        : null;

    private readonly string _path = request.RequestUri?.AbsolutePath ?? "";

    // A family that reads piece by piece, and holds no more than it needs, says so with the option Streamed: the limit
    // is there for memory, and the deadline ends such an answer.
    private readonly long _maxBytes =
        request.Options.TryGetValue(new HttpRequestOptionsKey<bool>("Streamed"), out var streamed) && streamed
            ? long.MaxValue
            : upstream.MaxResponseBytes;

    private readonly TaskCompletionSource<HttpResponseMessage> _answer = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );

    // Its continuation, the verdict, runs before the family reads on.
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
            var attempt = await upstream.TryAsync(AttemptAsync, _stop);
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
                ? UpstreamFailure.Open(upstream, open)
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

    private async ValueTask<Attempt> AttemptAsync(CancellationToken cancellationToken)
    {
        _attempts++;
        var started = upstream.Time.GetTimestamp();
        var answered = false;
        Attempt attempt;
        try
        {
            var answer = await send(request, cancellationToken);
            if ((int)answer.StatusCode is 300 or 301 or 302 or 303 or 307 or 308)
            {
                answer.Dispose();
                throw UpstreamFailure.Redirected(upstream, answer.StatusCode);
            }

            answer.ReasonPhrase = null; // the upstream's own words, which EnsureSuccessStatusCode would repeat
            attempt = new(_effect, answer, null) { IsFinal = _isAnswer?.Invoke(answer) is true };
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
            failed: attempt.Failed || attempt.Failure is not (null or OperationCanceledException)
        );
        return attempt;
    }

    // Gives the family the answer, and comes back when its body ended; with what went wrong, if anything did.
    private async Task<Exception?> HandOverAsync(HttpResponseMessage answer)
    {
        if (_method == HttpMethod.Head)
        {
            _answer.TrySetResult(answer); // its Content-Length speaks of a body that does not come
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
        var body = new AnswerStream(await wire.ReadAsStreamAsync(_stop), _maxBytes, this, _stop);
        answer.Content = new StreamContent(body);
        foreach (var (name, values) in wire.Headers.NonValidated)
        {
            answer.Content.Headers.TryAddWithoutValidation(name, values);
        }

        // Nobody may be reading when the time is up.
        await using var abort = _stop.UnsafeRegister(static state => ((AnswerStream)state!).Abort(), body);
        _answer.TrySetResult(answer);
        return await _bodyEnd.Task;
    }

    public void End(Exception? failure) => _bodyEnd.TrySetResult(failure);

    public Exception TooLarge() => UpstreamFailure.TooLarge(upstream, _effect);

    /// <summary>The words for what was thrown. A caller who left, and our own mistakes, stay what they are.</summary>
    public Exception Explain(Exception failure, bool answered) =>
        failure switch
        {
            HttpRequestException { StatusCode: not null } => failure, // has its words already
            _ when _deadline.IsCancellationRequested => UpstreamFailure.Late(upstream, _effect, _attempts),
            _ when _stop.IsCancellationRequested => failure as OperationCanceledException
                ?? new OperationCanceledException(caller),
            OperationCanceledException when answered => failure,
            _ => UpstreamFailure.Of(failure, upstream, _effect, answered) ?? failure,
        };
}
