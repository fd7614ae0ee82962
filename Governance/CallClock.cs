namespace MinimalMcp.Governance;

/// <summary>A timeout that does not run while a person is asked.</summary>
internal sealed class CallClock(CancellationTokenSource source, TimeSpan limit)
{
    /// <summary>How long a person may take.</summary>
    public static readonly TimeSpan AnswerLimit = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private int _paused;
    private bool _hasEnded;

    public void Start()
    {
        lock (_lock)
        {
            if (_paused == 0 && !_hasEnded)
            {
                source.CancelAfter(limit);
            }
        }
    }

    public void Pause()
    {
        lock (_lock)
        {
            if (!_hasEnded && !source.IsCancellationRequested)
            {
                _paused++;
                source.CancelAfter(AnswerLimit);
            }
        }
    }

    /// <summary>The whole time again: what the answer is for has not begun.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            if (!_hasEnded && _paused > 0 && --_paused == 0)
            {
                source.CancelAfter(limit);
            }
        }
    }

    /// <summary>The source is used for something else from now on.</summary>
    public void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
        }
    }
}
