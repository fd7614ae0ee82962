using System.Collections.Concurrent;
using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>The copies of one scenario: as many as are needed at once, with a bound.</summary>
internal sealed class Copies : IDisposable
{
    private const int Max = 4096;
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(30),
        Check = TimeSpan.FromSeconds(0.5);

    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentStack<ScenarioContext> _idle = new();
    private readonly ConcurrentBag<ScenarioContext> _all = [];
    private long _checked;

    public ScenarioContext New(Stats stats)
    {
        var copy = new ScenarioContext(stats, _ended.Token);
        _all.Add(copy);
        return copy;
    }

    /// <summary>One that has nothing to do, or a new one; null when there are too many.</summary>
    public ScenarioContext? Idle(Stats stats) =>
        _idle.TryPop(out var copy) ? copy
        : _all.Count < Max ? New(stats)
        : null;

    public void Return(ScenarioContext copy) => _idle.Push(copy);

    /// <summary>Breaks off the calls that take longer than any may.</summary>
    public void EndOverdue(long now)
    {
        if (Stopwatch.GetElapsedTime(_checked, now) < Check)
        {
            return;
        }

        _checked = now;
        foreach (var copy in _all)
        {
            copy.EndIfOlder(now, CallLimit);
        }
    }

    /// <summary>For scenarios that wait for the end.</summary>
    public void TellEnd()
    {
        if (!_ended.IsCancellationRequested)
        {
            _ended.Cancel();
        }
    }

    public void Dispose()
    {
        _ended.Dispose();
        foreach (var copy in _all)
        {
            copy.Dispose();
        }
    }
}
