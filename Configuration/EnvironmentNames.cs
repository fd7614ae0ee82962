using System.Globalization;

namespace MinimalMcp.Configuration;

/// <summary>
/// The environment names of the guides, and the settings they stand for. ASP.NET Core's own names (<c>Server__PublicUrl</c>) work for
/// everything and win over these.
/// </summary>
public static class EnvironmentNames
{
    /// <summary>The one table. Of two names for one setting, the later one wins.</summary>
    public static readonly (string Name, string Setting)[] Table =
    [
        ("PORT", "Server:Port"),
        ("MCP_SERVER_HOST", "Server:Host"),
        ("MCP_SERVER_PORT", "Server:Port"),
        ("PUBLIC_URL", "Server:PublicUrl"),
        ("MAX_REQUEST_SIZE", "Server:MaxRequestBytes"),
        ("CORS_ORIGINS", "Server:CorsOrigins"),
        ("LOG_LEVEL", "Logging:LogLevel:Default"),
        ("MCP_AUTH_MODE", "Auth:Mode"),
        ("MCP_API_KEY", "Auth:ApiKey"),
        ("OAUTH2_ISSUER", "Auth:Provider:Issuer"),
        ("OAUTH2_OPENID_CONFIG_URL", "Auth:Provider:ConfigUrl"),
        ("OAUTH2_JWKS_URI", "Auth:Provider:JwksUri"),
        ("OAUTH2_AUTHORIZATION_ENDPOINT", "Auth:Provider:AuthorizationEndpoint"),
        ("OAUTH2_TOKEN_ENDPOINT", "Auth:Provider:TokenEndpoint"),
        ("OAUTH2_AUDIENCE", "Auth:Provider:Audience"),
        ("OAUTH2_CLIENT_ID", "Auth:Provider:ClientId"),
        ("OAUTH2_CLIENT_SECRET", "Auth:Provider:ClientSecret"),
        ("ALLOWED_MCP_CLIENTS", "Auth:Provider:AllowedClients"),
        ("REQUIRED_MCP_SCOPES", "Auth:Provider:RequiredScopes"),
        ("MCP_API_KEY_NEXT", "Auth:NextApiKey"),
        ("RATE_LIMIT_PER_MINUTE", "Auth:RateLimitPerMinute"),
        ("OPENAI_APPS_CHALLENGE", "Server:OpenAiAppsChallenge"),
        ("SECRET_KEY", "Auth:Server:SecretKey"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "Auth:Server:AccessTokenMinutes"),
        ("REFRESH_TOKEN_EXPIRE_DAYS", "Auth:Server:RefreshTokenDays"),
        ("OAUTH_CLIENT_ID", "Auth:Server:ClientId"),
        ("OAUTH_CLIENT_SECRET", "Auth:Server:ClientSecret"),
        ("OAUTH_CLIENT_SECRET_NEXT", "Auth:Server:NextClientSecret"),
        ("OAUTH_REDIRECT_URI", "Auth:Server:RedirectUri"),
        ("OAUTH_SCOPE", "Auth:Server:Scope"),
        ("MCP_READ_ONLY", "Governance:ReadOnly"),
        ("MCP_RATE_LIMIT_CRITICAL", "Governance:Levels:CRITICAL"),
        ("MCP_RATE_LIMIT_HIGH", "Governance:Levels:HIGH"),
        ("MCP_RATE_LIMIT_MEDIUM", "Governance:Levels:MEDIUM"),
        ("TOOL_TIMEOUT", "Tools:FunctionCallingDeadline"),
        ("NEXTJS_URL", "Shop:Url"),
        ("APP_PORTAINER__URL", "Portainer:Url"),
        ("APP_PORTAINER__TOKEN", "Portainer:Token"),
        ("APP_PROMETHEUS__URL", "Prometheus:Url"),
        ("APP_GRAFANA__URL", "Grafana:Url"),
        ("APP_GRAFANA__TOKEN", "Grafana:Token"),
        ("APP_SILVERBULLET__URL", "SilverBullet:Url"),
        ("APP_SILVERBULLET__TOKEN", "SilverBullet:Token"),
        ("APP_VIKUNJA__URL", "Vikunja:Url"),
        ("APP_VIKUNJA__TOKEN", "Vikunja:Token"),
    ];

    /// <summary>The names for a setting, as they stand in a message: " (PORT, MCP_SERVER_PORT)"; empty when there is none.</summary>
    internal static string Of(string setting) =>
        Table.Where(row => row.Setting.Equals(setting, StringComparison.OrdinalIgnoreCase)).Select(row => row.Name).ToArray() is { Length: > 0 } names
            ? $" ({string.Join(", ", names)})"
            : "";

    /// <summary>Reads <c>.env</c> and <c>.env.local</c> of the content root, then the table, then the rest of the environment.</summary>
    internal static EnvironmentRead AddEnvironment(this ConfigurationManager configuration, string contentRoot)
    {
        var files = new List<string>();
        var names = new List<(string Name, string Setting)>();
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in (string[])[".env", ".env.local"])
        {
            var path = Path.Combine(contentRoot, file);
            if (File.Exists(path))
            {
                files.Add(path);
                foreach (var (name, value) in SettingsFiles.ReadVariables(path))
                {
                    variables[name] = value;
                }
            }
        }

        // A variable that is really set is nearer than a file.
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        var secrets = SecretFiles.Read(variables, Table.Select(row => row.Name));
        files.AddRange(secrets.Files);
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, setting) in Table)
        {
            if (variables.TryGetValue(name, out var value) && value.Length > 0)
            {
                names.Add((name, setting));
                settings[setting] = name switch
                {
                    "LOG_LEVEL" => LogLevelOf(value),
                    "MCP_RATE_LIMIT_CRITICAL" or "MCP_RATE_LIMIT_MEDIUM" when value.All(char.IsAsciiDigit) => value + "/hour", // a guide writes the number alone
                    "TOOL_TIMEOUT" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) =>
                        TimeSpan.FromSeconds(seconds).ToString(), // as people write it, in seconds
                    _ => value,
                };
            }
        }

        // OpenTelemetry reads its own from the configuration, by these names.
        foreach (var (name, value) in variables.Where(variable => variable.Key.StartsWith("OTEL_", StringComparison.Ordinal)))
        {
            settings[name] = value;
        }

        foreach (var (name, value) in variables.Where(variable => variable.Key.Contains("__", StringComparison.Ordinal)))
        {
            settings[name.Replace("__", ":")] = value;
        }

        // Before the command line, which the host added last.
        var commandLine = configuration.Sources.OfType<Microsoft.Extensions.Configuration.CommandLine.CommandLineConfigurationSource>().LastOrDefault();
        configuration.Sources.Add(new EnvironmentSource { InitialData = settings });
        if (commandLine is not null)
        {
            configuration.Sources.Remove(commandLine);
            configuration.Sources.Add(commandLine);
        }

        return new(files, names) { Problems = secrets.Problems };
    }

    // The guides write INFO and DEBUG, .NET says Information and Debug.
    private static string LogLevelOf(string value) => value.ToUpperInvariant() switch
    {
        "INFO" => "Information",
        "WARN" => "Warning",
        _ => value,
    };
}

/// <summary>What was found: files of variables, and the names of the table that are set.</summary>
internal sealed record EnvironmentRead(IReadOnlyList<string> Files, IReadOnlyList<(string Name, string Setting)> Names)
{
    /// <summary>What could not be read, in sentences.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}

/// <summary>What the environment says, under the names of settings; <see cref="EnvironmentProvider"/> tells it from other sources.</summary>
internal sealed class EnvironmentSource : IConfigurationSource
{
    public IEnumerable<KeyValuePair<string, string?>> InitialData { get; init; } = [];

    public IConfigurationProvider Build(IConfigurationBuilder builder) => new EnvironmentProvider(new() { InitialData = InitialData });
}

internal sealed class EnvironmentProvider(Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource source)
    : Microsoft.Extensions.Configuration.Memory.MemoryConfigurationProvider(source);
