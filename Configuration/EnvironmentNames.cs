using System.Globalization;
using Microsoft.Extensions.Configuration.Json;

namespace MinimalMcp.Configuration;

/// <summary>
/// Maps environment variables of the guides to settings. ASP.NET Core's own names (<c>Server__PublicUrl</c>) work for
/// every setting and take precedence.
/// </summary>
internal static class EnvironmentNames
{
    /// <summary>The only table of names. When two names set the same setting, the later one wins.</summary>
    public static readonly (string Name, string Setting)[] Table =
    [
        ("HOST", "Server:Host"), // only beside PORT: some shells export it
        ("PORT", "Server:Port"),
        ("MCP_SERVER_HOST", "Server:Host"),
        ("MCP_SERVER_PORT", "Server:Port"),
        ("PUBLIC_URL", "Server:PublicUrl"),
        ("MAX_REQUEST_SIZE", "Server:MaxRequestBytes"),
        ("CORS_ORIGINS", "Server:CorsOrigins"),
        ("DEBUG", "Logging:LogLevel:Default"), // true is the level Debug
        ("LOG_LEVEL", "Logging:LogLevel:Default"),
        ("LOG_DIR", "Logging:File:Path"), // a file in it, named after the mode: mcp_sse.log
        ("LOG_FILE", "Logging:File:Path"),
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
        ("OAUTH2_DEFAULT_SCOPES", "Auth:Provider:DefaultScopes"),
        ("ALLOWED_MCP_CLIENTS", "Auth:Provider:AllowedClients"),
        ("REQUIRED_MCP_SCOPES", "Auth:Provider:RequiredScopes"),
        ("MCP_API_KEY_NEXT", "Auth:NextApiKey"),
        ("RATE_LIMIT_PER_MINUTE", "Auth:RateLimitPerMinute"),
        ("OPENAI_APPS_CHALLENGE", "Server:OpenAiAppsChallenge"),
        ("SECRET_KEY", "Auth:Server:SecretKey"),
        ("SECRET_KEY_PREVIOUS", "Auth:Server:PreviousSecretKey"),
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
        ("CONNECTION_POOL_SIZE", "Outgoing:MaxInFlight"),
        ("CONNECTION_POOL_SIZE", "Hub:ConnectionPoolSize"),
        ("MAX_CONCURRENT_SERVERS", "Hub:MaxConcurrentServers"),
        ("SERVER_TIMEOUT", "Hub:ServerTimeout"),
        ("GITHUB_TOKEN", "GitHub:Token"),
        ("GITHUB_API_URL", "GitHub:Url"),
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
        ("CWAY_API_URL", "Cway:Url"),
        ("CWAY_API_TOKEN", "Cway:Token"),
        ("AUTH_METHOD", "Cway:AuthMethod"),
        ("AZURE_TENANT_ID", "Cway:TenantId"),
        ("AZURE_CLIENT_ID", "Cway:ClientId"),
        ("AZURE_CLIENT_SECRET", "Cway:ClientSecret"),
        ("OAUTH2_SCOPE", "Cway:Scope"),
        ("USE_DEVICE_CODE_FLOW", "Cway:UseDeviceCodeFlow"),
        ("REQUEST_TIMEOUT", "Outgoing:Deadlines:Cway"),
        ("MAX_RETRIES", "Cway:MaxRetries"),
    ];

    /// <summary>The names of a setting for messages: " (PORT, MCP_SERVER_PORT)"; empty without one.</summary>
    internal static string Of(string setting) =>
        Table
            .Where(row => row.Setting.Equals(setting, StringComparison.OrdinalIgnoreCase))
            .Select(row => row.Name)
            .ToArray()
            is { Length: > 0 } names
            ? $" ({string.Join(", ", names)})"
            : "";

    /// <summary>The shortest name of a setting.</summary>
    internal static string Short(string setting) =>
        Table.LastOrDefault(row => row.Setting.Equals(setting, StringComparison.OrdinalIgnoreCase)).Name ?? setting;

    /// <summary>
    /// Reads <c>.env</c>, <c>.env.local</c> and, in the environment Production, <c>.env.production</c> of the content
    /// root, in this order; then the table, then the other environment variables.
    /// </summary>
    internal static EnvironmentRead AddEnvironment(
        this ConfigurationManager configuration,
        string contentRoot,
        string environment,
        bool isWholeProgram = true
    )
    {
        var names = new List<(string Name, string Setting)>();
        var files = Files(contentRoot, environment).ToList();
        var origins = new Dictionary<string, string>(StringComparer.Ordinal);
        var variables = Variables(files, origins);
        var secrets = SecretFiles.Read(variables, Table.Select(row => row.Name));
        files.AddRange(secrets.Files);
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var sources = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, setting) in Table)
        {
            if (
                (isWholeProgram || !setting.StartsWith("Logging:", StringComparison.Ordinal))
                && variables.TryGetValue(name, out var value)
                && value.Length > 0
                && Meaning(name, value, variables, configuration["mode"]) is { } means
            )
            {
                names.Add((name, setting));
                settings[setting] = means;
                sources[setting] = SourceOf(name, origins);
            }
        }

        // OpenTelemetry reads these names from the configuration.
        foreach (
            var (name, value) in variables.Where(variable => variable.Key.StartsWith("OTEL_", StringComparison.Ordinal))
        )
        {
            settings[name] = value;
            sources[name] = SourceOf(name, origins);
        }

        foreach (
            var (name, value) in variables.Where(variable => variable.Key.Contains("__", StringComparison.Ordinal))
        )
        {
            settings[name.Replace("__", ":")] = value;
            sources[name.Replace("__", ":")] = SourceOf(name, origins);
        }

        // Before the command line, which the host adds last.
        var commandLine = configuration
            .Sources.OfType<Microsoft.Extensions.Configuration.CommandLine.CommandLineConfigurationSource>()
            .LastOrDefault();
        configuration.Sources.Add(new EnvironmentSource { InitialData = settings });
        if (commandLine is not null)
        {
            configuration.Sources.Remove(commandLine);
            configuration.Sources.Add(commandLine);
        }

        return new(files, names, Infer(configuration)) { Problems = secrets.Problems, Sources = sources };
    }

    /// <summary>
    /// The host environment from the guides' variable, or null. Other variables of the host take precedence, and other
    /// values belong to other programs.
    /// </summary>
    internal static string? HostEnvironment(string contentRoot) =>
        (string[])["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"] is var own
        && own.Any(name => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
            ? null
            : Variables([.. Files(contentRoot, "")]).GetValueOrDefault("ENVIRONMENT")?.ToUpperInvariant() switch
            {
                "PRODUCTION" or "PROD" => Environments.Production,
                "DEVELOPMENT" or "DEV" => Environments.Development,
                "STAGING" => Environments.Staging,
                _ => null,
            };

    private static IEnumerable<string> Files(string contentRoot, string environment)
    {
        string[] names =
            environment == Environments.Production ? [".env", ".env.local", ".env.production"] : [".env", ".env.local"];
        return names.Select(name => Path.Combine(contentRoot, name)).Where(File.Exists);
    }

    // A real environment variable takes precedence over a file.
    private static Dictionary<string, string> Variables(
        IEnumerable<string> files,
        Dictionary<string, string>? origins = null
    )
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var (name, value) in SettingsFiles.ReadVariables(file))
            {
                variables[name] = value;
                origins?[name] = Path.GetFileName(file);
            }
        }

        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
            origins?.Remove((string)variable.Key);
        }

        return variables;
    }

    private static string SourceOf(string name, Dictionary<string, string> origins) =>
        origins.TryGetValue(name, out var file) ? $"{name} in {file}"
        : Environment.GetEnvironmentVariable(name) is null ? $"the file that {name}{SecretFiles.Suffix} names"
        : $"environment variable {name}";

    /// <summary>Converts a value of the guides to the setting's format; null when it has no meaning here.</summary>
    private static string? Meaning(string name, string value, Dictionary<string, string> variables, string? mode) =>
        name switch
        {
            "HOST" => variables.GetValueOrDefault("PORT") is { Length: > 0 } ? value : null,
            "DEBUG" => value.ToUpperInvariant() is "TRUE" or "1" ? nameof(LogLevel.Debug) : null,
            "LOG_LEVEL" => LogLevelOf(value),
            "LOG_DIR" => Path.Combine(value, $"mcp_{mode?.ToLowerInvariant() ?? "all"}.log"),
            "TOOL_TIMEOUT"
            or "REQUEST_TIMEOUT"
            or "SERVER_TIMEOUT"
                when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) => TimeSpan
                .FromSeconds(seconds)
                .ToString(), // written in seconds
            // A guide gives the number alone.
            "MCP_RATE_LIMIT_CRITICAL" or "MCP_RATE_LIMIT_MEDIUM" when value.All(char.IsAsciiDigit) => value + "/hour",
            _ => value,
        };

    /// <summary>
    /// Infers settings that a guide omits. A client with a secret requires a mode that issues tokens. A redirect URI
    /// that is our own callback contains our own URL.
    /// </summary>
    private static List<InferredSetting> Infer(ConfigurationManager configuration)
    {
        var inferred = new List<InferredSetting>();
        if (IsDefaultMode(configuration) && !IsEmpty("Auth:Server:ClientId") && !IsEmpty("Auth:Server:ClientSecret"))
        {
            inferred.Add(new("Auth:Mode", "hybrid", "OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET are set"));
        }

        if (IsEmpty("Server:PublicUrl") && OwnAddress(configuration["Auth:Server:RedirectUri"]) is { } address)
        {
            inferred.Add(new("Server:PublicUrl", address, "of OAUTH_REDIRECT_URI"));
        }

        configuration.AddInMemoryCollection(
            inferred.Select(one => KeyValuePair.Create(one.Setting, (string?)one.Value))
        );
        return inferred;

        bool IsEmpty(string setting) => string.IsNullOrEmpty(configuration[setting]);
    }

    // appsettings.json has "none" as a default; a value from elsewhere is explicit.
    private static bool IsDefaultMode(ConfigurationManager configuration) =>
        (configuration["Auth:Mode"] ?? "") is "" or "none"
        && !((IConfigurationRoot)configuration).Providers.Any(provider =>
            provider is not JsonConfigurationProvider
            && provider.TryGet("Auth:Mode", out var mode)
            && mode is { Length: > 0 }
        );

    private static string? OwnAddress(string? redirects) =>
        (redirects ?? "")
            .Split([',', ' '], StringSplitOptions.TrimEntries)
            .Where(redirect =>
                redirect.EndsWith("/auth/callback", StringComparison.Ordinal)
                && Uri.TryCreate(redirect, UriKind.Absolute, out var uri)
                && uri.Scheme is "http" or "https"
            )
            .Select(redirect => redirect[..^"/auth/callback".Length])
            .FirstOrDefault();

    // The guides use INFO and DEBUG, .NET uses Information and Debug.
    private static string LogLevelOf(string value) =>
        value.ToUpperInvariant() switch
        {
            "INFO" => "Information",
            "WARN" => "Warning",
            _ => value,
        };
}

/// <summary>What was read: .env files, names of the table, and inferred settings.</summary>
internal sealed record EnvironmentRead(
    IReadOnlyList<string> Files,
    IReadOnlyList<(string Name, string Setting)> Names,
    IReadOnlyList<InferredSetting> Inferred
)
{
    /// <summary>Where each setting of the environment comes from, by the setting.</summary>
    public IReadOnlyDictionary<string, string> Sources { get; init; } = new Dictionary<string, string>();

    /// <summary>Errors, as messages.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}

/// <summary>An inferred setting.</summary>
internal sealed record InferredSetting(string Setting, string Value, string Why);

/// <summary>
/// Settings from the environment; <see cref="EnvironmentProvider"/> distinguishes them from other sources.
/// </summary>
internal sealed class EnvironmentSource : IConfigurationSource
{
    public IEnumerable<KeyValuePair<string, string?>> InitialData { get; init; } = [];

    public IConfigurationProvider Build(IConfigurationBuilder builder) =>
        new EnvironmentProvider(new() { InitialData = InitialData });
}

internal sealed class EnvironmentProvider(Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource source)
    : Microsoft.Extensions.Configuration.Memory.MemoryConfigurationProvider(source);
