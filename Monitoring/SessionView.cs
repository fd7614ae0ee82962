namespace MinimalMcp.Monitoring;

/// <summary>
/// One MCP session of this replica, or a caller without a session who was seen in the last 30 minutes.
/// </summary>
/// <param name="ClientInfo">What the client says of itself.</param>
/// <param name="ClientType">chatgpt, oauth, api_key, or none without authentication.</param>
/// <param name="Client">The OAuth client that the user came through, if any.</param>
/// <param name="Revision">The MCP revision; null for callers of the REST and function-calling surfaces.</param>
/// <param name="Surface">How the caller comes: http, sse, stdio, rest or functions.</param>
/// <param name="ConnectedServers">The names of the registered servers whose tools are joined now.</param>
/// <param name="Calls">The number of tool calls.</param>
/// <param name="HasSession">False for a caller without a session, which cannot be ended.</param>
internal sealed record SessionView(
    string Id,
    SessionClient? ClientInfo,
    string ClientType,
    string User,
    string? Client,
    string? Revision,
    string Surface,
    IReadOnlyList<string> ConnectedServers,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastActivity,
    bool IsActive,
    long Calls,
    bool HasSession
);

/// <summary>The name and version that an MCP client sends.</summary>
internal sealed record SessionClient(string Name, string Version);
