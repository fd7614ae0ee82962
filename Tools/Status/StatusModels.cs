using System.ComponentModel;
using System.Text.Json.Serialization;

namespace MinimalMcp.Tools.Status;

internal sealed record StatusResult(IReadOnlyList<SystemState> Systems);

internal sealed record SystemState(
    string Name,
    bool Configured,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Reachable = null,
    [property:
        JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull),
        Description("False when the system refuses the credentials.")
    ]
        bool? Authorised = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Version = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail = null
);
