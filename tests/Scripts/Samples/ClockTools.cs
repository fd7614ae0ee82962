using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Clock;

[McpServerToolType]
public sealed class ClockTools(TimeProvider time)
{
    [McpServerTool(ReadOnly = true), Description("Return the date and time in a time zone.")]
    public DateTimeOffset ClockNow([Description("IANA name, for example Europe/Paris.")] string zone = "UTC") =>
        TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found)
            ? TimeZoneInfo.ConvertTime(time.GetUtcNow(), found)
            : throw new McpException($"There is no time zone '{zone}'. Use an IANA name such as Europe/Paris.");
}
