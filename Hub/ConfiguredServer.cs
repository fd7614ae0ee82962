using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>
/// A server as the settings have it (<c>Hub:Servers:NAME</c>) or a file in the form of Claude and VS Code
/// (<c>Hub:File</c>).
/// </summary>
internal sealed class ConfiguredServer
{
    public string? Description { get; set; }

    /// <summary>stdio, http, sse or streamable_http. By default stdio with a command and http with a URL.</summary>
    public string? Type { get; set; }

    public string? Command { get; set; }

    public List<string> Args { get; set; } = [];

    public Dictionary<string, string> Env { get; set; } = new(StringComparer.Ordinal);

    public string? Url { get; set; }

    /// <summary>At most one: <c>Authorization</c> or the header of an API key.</summary>
    public Dictionary<string, string> Headers { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The server is registered, and not started.</summary>
    public bool Disabled { get; set; }

    public bool AutoRestart { get; set; } = true;

    public int MaxRestarts { get; set; } = 3;

    /// <summary>Seconds between health checks.</summary>
    public int HealthCheckInterval { get; set; } = 60;

    /// <summary>The risk level of the server's tools: LOW, MEDIUM, HIGH or CRITICAL.</summary>
    public string? Risk { get; set; }

    /// <summary>prefixed or own.</summary>
    public string Names { get; set; } = "prefixed";

    /// <summary>The names of clients are freer than ours: "GitHub Issues" becomes github-issues.</summary>
    public static string NameOf(string name) =>
        string.Concat(name.Trim().Select(letter => letter is ' ' or '.' or '/' ? '-' : char.ToLowerInvariant(letter)));

    /// <exception cref="StartupException">It is not acceptable; the message completes a sentence about it.</exception>
    public ServerDefinition ToDefinition(string name, HubOptions options)
    {
        var (auth, secrets) = Credential();
        var server = new ServerDefinition
        {
            Name = NameOf(name),
            Description = Description,
            Command = Command,
            Args = [.. Args],
            Env = Env,
            Transport = Transport(),
            Url = Url,
            Auth = auth,
            AuthConfig = secrets,
            AutoRestart = AutoRestart,
            MaxRestarts = Range(MaxRestarts, "MaxRestarts", 0, 1000),
            HealthCheckInterval = Range(HealthCheckInterval, "HealthCheckInterval", 5, 86_400),
            Risk = Risk?.ToUpperInvariant(),
            OwnNames = Names switch
            {
                "own" => true,
                "prefixed" => false,
                _ => throw new StartupException("names must be prefixed or own."),
            },
            IsConfigured = true,
            Wanted = !Disabled,
            IsDisabled = Disabled,
        };
        try
        {
            ServerBody.Check(server, options);
        }
        catch (ServerRefusedException refused)
        {
            throw new StartupException(refused.Message, refused);
        }

        return server;
    }

    private TransportType Transport() =>
        Command is { Length: > 0 } && Url is { Length: > 0 }
            ? throw new StartupException("it has a command and a url; a server has one of them.")
            : Type?.ToUpperInvariant().Replace('-', '_') switch
            {
                null or "" => Url is { Length: > 0 } ? TransportType.Http : TransportType.Stdio,
                "STDIO" => TransportType.Stdio,
                "HTTP" => TransportType.Http,
                "SSE" => TransportType.Sse,
                "STREAMABLE_HTTP" or "STREAMABLEHTTP" => TransportType.StreamableHttp,
                _ => throw new StartupException("type must be stdio, http, sse or streamable_http."),
            };

    private (AuthType, Dictionary<string, string>) Credential() =>
        Headers.Count == 0 ? (AuthType.None, [])
        : Headers.Count > 1 ? throw new StartupException("headers has more than one entry, which is not supported.")
        : Url is not { Length: > 0 } ? throw new StartupException("headers are for servers with a url.")
        : Credential(Headers.Single());

    private static (AuthType, Dictionary<string, string>) Credential(KeyValuePair<string, string> header) =>
        header.Key.Equals("Authorization", StringComparison.OrdinalIgnoreCase)
        && header.Value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? (AuthType.Bearer, new() { ["token"] = header.Value["Bearer ".Length..].Trim() })
            : (AuthType.ApiKey, new() { ["header"] = header.Key, ["api_key"] = header.Value });

    private static int Range(int value, string name, int least, int most) =>
        value >= least && value <= most
            ? value
            : throw new StartupException($"{name} must be a whole number from {least} to {most}.");
}
