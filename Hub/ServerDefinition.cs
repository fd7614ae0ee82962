using System.Text.Json;

namespace MinimalMcp.Hub;

/// <summary>A registered MCP server: how it is reached or started, and what the operator wants of it.</summary>
internal sealed record ServerDefinition
{
    public long Id { get; init; }

    /// <summary>Unique; it is the prefix of the server's tools and the name of its profile.</summary>
    public required string Name { get; init; }

    public string? Description { get; init; }

    public string? GithubUrl { get; init; }

    /// <summary>The program of a server over stdio.</summary>
    public string? Command { get; init; }

    public IReadOnlyList<string> Args { get; init; } = [];

    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();

    public TransportType Transport { get; init; }

    public string Host { get; init; } = "localhost";

    public int? Port { get; init; }

    /// <summary>Takes precedence over <see cref="Host"/> and <see cref="Port"/>.</summary>
    public string? Url { get; init; }

    public AuthType Auth { get; init; }

    public IReadOnlyDictionary<string, string> AuthConfig { get; init; } = new Dictionary<string, string>();

    public bool AutoRestart { get; init; } = true;

    /// <summary>Restarts without five active minutes between them, before the server is left in error.</summary>
    public int MaxRestarts { get; init; } = 3;

    /// <summary>Seconds between health checks.</summary>
    public int HealthCheckInterval { get; init; } = 60;

    /// <summary>The risk level of the server's tools, when the operator set one.</summary>
    public string? Risk { get; init; }

    /// <summary>The tools keep the server's own names, without its name as a prefix.</summary>
    public bool OwnNames { get; init; }

    /// <summary>
    /// How often its program or address was changed. What was approved of one program says nothing of another.
    /// </summary>
    public long Generation { get; init; }

    /// <summary>The server should run: start sets it, stop clears it.</summary>
    public bool Wanted { get; init; }

    /// <summary>It comes from the configuration, which alone changes it.</summary>
    public bool IsConfigured { get; init; }

    /// <summary>The configuration disables it. When it no longer does, the server is started.</summary>
    public bool IsDisabled { get; init; }

    /// <summary>The stored secrets cannot be decrypted: SECRET_KEY changed. Such a server is not started.</summary>
    public bool Unreadable { get; init; }

    /// <summary>Milliseconds since 1970 UTC, as all times of the store.</summary>
    public long CreatedAt { get; init; }

    public long UpdatedAt { get; init; }

    /// <summary>Whether both say the same; when it was changed last is no part of that.</summary>
    public bool IsSameAs(ServerDefinition other) => Text(this) == Text(other);

    private static string Text(ServerDefinition server) =>
        JsonSerializer.Serialize(server with { UpdatedAt = 0 }, RecordJson.Default.ServerDefinition);

    /// <summary>Whether both definitions run the same program, or reach the same address.</summary>
    public bool RunsTheSame(ServerDefinition other) =>
        (Transport, Command, Address) == (other.Transport, other.Command, other.Address)
        && Args.SequenceEqual(other.Args)
        && Env.Count == other.Env.Count
        && Env.All(variable => other.Env.GetValueOrDefault(variable.Key) == variable.Value);

    /// <summary>Where a remote server is; null for stdio.</summary>
    public Uri? Address =>
        Transport is TransportType.Stdio ? null
        : Url is { Length: > 0 } ? new Uri(Url)
        : new UriBuilder("http", Host, Port ?? 80, Transport is TransportType.Sse ? "/sse" : "/mcp").Uri;
}

/// <summary>How a server is spoken to: <c>stdio</c>, <c>http</c>, <c>sse</c>, <c>streamable_http</c>.</summary>
internal enum TransportType
{
    Stdio,

    /// <summary>Streamable HTTP, as <see cref="StreamableHttp"/>: the guide has both names.</summary>
    Http,
    Sse,
    StreamableHttp,
}

/// <summary>
/// How we authenticate at a remote server: <c>none</c>, <c>oauth</c>, <c>api_key</c>, <c>bearer</c>, <c>per_caller</c>.
/// </summary>
internal enum AuthType
{
    None,
    Oauth,
    ApiKey,
    Bearer,

    /// <summary>Each caller stores a secret of its own, and calls over a connection of its own.</summary>
    PerCaller,
}
