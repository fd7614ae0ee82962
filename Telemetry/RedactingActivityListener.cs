using System.Diagnostics;
using MinimalMcp.Governance;

namespace MinimalMcp.Telemetry;

/// <summary>
/// Redacts secrets of the settings in spans, since an upstream URL may contain one. It is an ActivityListener that runs
/// before OpenTelemetry's, and not a processor: tool discovery loads every type of this assembly with its base types,
/// which would load OpenTelemetry.
/// </summary>
internal sealed class RedactingActivityListener : IDisposable
{
    private readonly Redactor _redactor;
    private readonly ActivityListener _listener;

    public RedactingActivityListener(Redactor redactor)
    {
        _redactor = redactor;
        _listener = new() { ShouldListenTo = _ => true, ActivityStopped = Clean };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    private void Clean(Activity span)
    {
        List<KeyValuePair<string, string>>? cleaned = null;
        foreach (ref readonly var tag in span.EnumerateTagObjects())
        {
            if (tag.Value is string text && _redactor.Clean(text) is var clean && clean != text)
            {
                (cleaned ??= []).Add(new(tag.Key, clean));
            }
        }

        foreach (var (name, value) in cleaned ?? [])
        {
            span.SetTag(name, value);
        }
    }
}
