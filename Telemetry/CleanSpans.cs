using System.Diagnostics;
using MinimalMcp.Governance;
using OpenTelemetry;

namespace MinimalMcp.Telemetry;

/// <summary>Takes the secrets of the settings out of spans: an address of an upstream may carry one in its path.</summary>
internal sealed class CleanSpans(Redactor redactor) : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        List<KeyValuePair<string, object?>>? cleaned = null;
        foreach (ref readonly var tag in data.EnumerateTagObjects())
        {
            if (tag.Value is string text && redactor.Clean(text) is var clean && clean != text)
            {
                (cleaned ??= []).Add(new(tag.Key, clean));
            }
        }

        foreach (var (name, value) in cleaned ?? [])
        {
            data.SetTag(name, value);
        }
    }
}
