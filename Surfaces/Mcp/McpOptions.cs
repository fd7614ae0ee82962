using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Limits of the MCP endpoint; configuration section <c>Mcp</c>.</summary>
internal sealed class McpOptions
{
    /// <summary>
    /// Sessions kept at once. Above it the oldest idle one ends. When none is idle, <c>initialize</c> answers without a
    /// session id: calls do not need one.
    /// </summary>
    [Range(0, 1_000_000, ErrorMessage = "Mcp:MaxSessions must be from 0 to 1000000.")]
    public int MaxSessions { get; set; } = 10_000;

    /// <summary>
    /// Sessions and open streams of one caller, in the same way. Callers without a credential are counted by address.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = "Mcp:MaxSessionsPerCaller must be from 1 to 1000000.")]
    public int MaxSessionsPerCaller { get; set; } = 1_000;

    /// <summary>A session that nobody used for so long ends. Its id gets 404, at which clients start another.</summary>
    [Range(
        typeof(TimeSpan),
        "00:00:00.01",
        "30.00:00:00",
        ErrorMessage = "Mcp:SessionIdle must be from 00:00:00.01 to 30.00:00:00."
    )]
    public TimeSpan SessionIdle { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How often an open event stream gets a comment, so that proxies do not close it.</summary>
    [Range(
        typeof(TimeSpan),
        "00:00:00.01",
        "1.00:00:00",
        ErrorMessage = "Mcp:KeepAlive must be from 00:00:00.01 to 1.00:00:00."
    )]
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>Requests that one conversation over SSE or stdio may have under way; further ones wait.</summary>
    [Range(1, 10_000, ErrorMessage = "Mcp:MaxInFlight must be from 1 to 10000.")]
    public int MaxInFlight { get; set; } = 64;

    /// <summary>What the server tells a model about itself; clients read the first 512 characters.</summary>
    public string Instructions { get; set; } =
        "Call the tools listed here to answer with live data instead of guessing. "
        + "Tools marked read-only are safe to call at any time; the others change something, so call them only when "
        + "the user asked for that change. A failed call says what to mend.";
}
