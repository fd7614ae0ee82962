using System.Collections.Concurrent;
using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>
/// One scenario under its load. Calls of the open model begin on a grid of milliseconds, and their latency counts from
/// there, also when the program or a busy connection sends them later: what a slow server keeps waiting is counted, not
/// left out (coordinated omission).
/// </summary>
internal sealed class ScenarioRun(Scenario scenario, LoadProfile profile) : IDisposable
{
    private static readonly TimeSpan Grid = TimeSpan.FromMilliseconds(1);

    // A second; in a short run less, so that there is something to draw and to take the noise from.
    private readonly TimeSpan _every = TimeSpan.FromSeconds(Math.Clamp(profile.Duration.TotalSeconds / 30, 0.1, 1));
    private readonly Copies _copies = new();
    private readonly ConcurrentQueue<long> _waiting = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _wanted; // copies of the closed model
    private int _looping,
        _inFlight;
    private long _started,
        _issued;
    private TimeSpan _slot,
        _sampled;

    public Scenario Scenario => scenario;
    public Stats Stats { get; } = new();

    /// <summary>What was answered before the measurement.</summary>
    public Stats? WarmedUp { get; init; }
    public TimeSpan Duration => profile.Duration;
    public Task Finished => _finished.Task;

    public void Start(long now) => _started = now;

    /// <summary>Begins what is due. Called by one thread, about every millisecond.</summary>
    public void Tick(long now)
    {
        var elapsed = Stopwatch.GetElapsedTime(_started, now);
        for (; _slot <= elapsed && _slot <= profile.Duration; _slot += Grid)
        {
            var intended = _started + (long)(_slot.TotalSeconds * Stopwatch.Frequency);
            for (var due = profile.Arrivals(_slot); _issued < due; _issued++)
            {
                Arrive(intended);
            }
        }

        _wanted = profile.Copies(elapsed);
        while (Volatile.Read(ref _looping) < _wanted)
        {
            var number = Interlocked.Increment(ref _looping) - 1;
            Interlocked.Increment(ref _inFlight);
            _ = Task.Run(() => LoopAsync(number));
        }

        _copies.EndOverdue(now);
        var until = elapsed < profile.Duration ? elapsed : profile.Duration;
        if (until - _sampled >= _every || (elapsed >= profile.Duration && until - _sampled > _every / 4))
        {
            Stats.Sample(until.TotalSeconds, (until - _sampled).TotalSeconds);
            _sampled = until;
        }

        if (elapsed >= profile.Duration)
        {
            End();
        }
    }

    /// <summary>What was counted stays.</summary>
    public void Dispose() => _copies.Dispose();

    private void End()
    {
        _copies.TellEnd();
        if (Volatile.Read(ref _inFlight) == 0 && _waiting.IsEmpty)
        {
            _finished.TrySetResult();
        }
    }

    private void Arrive(long intended)
    {
        Interlocked.Increment(ref _inFlight);
        if (_copies.Idle(Stats) is { } copy)
        {
            _ = ServeAsync(copy, intended);
        }
        else
        {
            _waiting.Enqueue(intended);
        }
    }

    private async Task ServeAsync(ScenarioContext copy, long intended)
    {
        do
        {
            await InvokeAsync(copy, intended);
            Interlocked.Decrement(ref _inFlight);
        } while (_waiting.TryDequeue(out intended));
        _copies.Return(copy);
    }

    private async Task LoopAsync(int number)
    {
        var copy = _copies.New(Stats);
        while (number < _wanted)
        {
            if (!await InvokeAsync(copy, Stopwatch.GetTimestamp()))
            {
                await Task.Delay(10); // a server that is gone is not asked as fast as it can refuse
            }
        }

        Interlocked.Decrement(ref _looping);
        Interlocked.Decrement(ref _inFlight);
    }

    /// <summary>False when the connection broke.</summary>
    private async ValueTask<bool> InvokeAsync(ScenarioContext copy, long intended)
    {
        copy.Begin(Stopwatch.GetTimestamp());
        Response response;
        var unbroken = true;
        try
        {
            response = await scenario.Run(copy);
        }
        catch (Exception e) // whatever it is, it is this call's, and the run goes on
        {
            copy.Drop();
            unbroken = false;
            response = Response.Fail(e.Message.Length > 200 ? e.Message[..200] : e.Message);
        }

        copy.End();
        Stats.Record(Stopwatch.GetElapsedTime(intended), response);
        return unbroken;
    }
}
