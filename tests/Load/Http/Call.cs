namespace MinimalMcp.Load;

/// <summary>One request in the words of one surface, for any server.</summary>
internal sealed record Call(string Name, string Method, string Path, string Headers, string Body, string Expected)
{
    public const string VersionHeader = "MCP-Protocol-Version",
        Legacy = "2025-11-25",
        Modern = "2026-07-28";

    private const string Meta =
        $$$"""{"io.modelcontextprotocol/protocolVersion":"{{{Modern}}}","io.modelcontextprotocol/"""
        + $$$"""clientCapabilities":{}}""";

    private const string Result = "\"result\":";

    public static readonly string[] Revisions = [Legacy, Modern];

    public static Call[] Tool(string tool, string arguments) =>
        [.. Revisions.Select(revision => Tool(revision, tool, arguments))];

    public static Call Tool(string revision, string tool, string arguments) =>
        Mcp(revision, "tools/call", $$"""{"name":"{{tool}}","arguments":{{arguments}}}""", tool);

    public static Call List(string revision) => Mcp(revision, "tools/list", "{}");

    /// <param name="subject">What <c>Mcp-Name</c> says.</param>
    public static Call Mcp(string revision, string method, string parameters, string? subject = null)
    {
        var modern = revision == Modern;
        var headers = $"{VersionHeader}: {revision}\r\n";
        if (modern)
        {
            headers += $"Mcp-Method: {method}\r\n" + (subject is null ? "" : $"Mcp-Name: {subject}\r\n");
            parameters = parameters.TrimEnd()[..^1] + (parameters.TrimEnd() == "{}" ? "" : ",") + $"\"_meta\":{Meta}}}";
        }

        return new(revision, "POST", "/mcp", headers, Message(method, parameters), Result);
    }

    public static Call Rest(string tool, string arguments) => new("rest", "POST", $"/tools/{tool}", "", arguments, "{");

    public static Call Function(string tool, string arguments) =>
        new(
            "functions",
            "POST",
            "/api/mcp/v1/call",
            "",
            Message("tools/call", $$"""{"name":"{{tool}}","arguments":{{arguments}}}"""),
            Result
        );

    public static Call Get(string path) => new(path, "GET", path, "", "", "");

    /// <summary>An event stream of the revisions that have one.</summary>
    public static Call Stream(string path) => new(path, "GET", path, $"{VersionHeader}: {Legacy}\r\n", "", "");

    public Call With(string header) => this with { Headers = $"{Headers}{header}\r\n" };

    private static string Message(string method, string parameters) =>
        $$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":{{parameters}}}""";
}
