using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MinimalMcp.Tools.Cway;

/// <summary>Settings of the Cway family; configuration section <c>Cway</c>.</summary>
internal sealed class CwayOptions : IValidatableObject
{
    /// <summary>The GraphQL endpoint of Cway.</summary>
    public string Url { get; set; } = "https://app.cway.se/graphql";

    /// <summary>
    /// The API token, sent to Cway as a bearer token. Callers of the REST routes may send it too: it is a key that
    /// opens these routes and nothing else. Without it the family is off, unless AuthMethod is oauth2.
    /// </summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    /// <summary><c>static</c> sends Token; <c>oauth2</c> gets access tokens from Microsoft Entra ID.</summary>
    public string AuthMethod { get; set; } = "static";

    public string? TenantId { get; set; }

    public string? ClientId { get; set; }

    [DataType(DataType.Password)]
    public string? ClientSecret { get; set; }

    /// <summary>What is asked for with the client credentials.</summary>
    public string Scope { get; set; } = "https://graph.microsoft.com/.default";

    /// <summary>Where tokens come from, without the tenant.</summary>
    public string Authority { get; set; } = "https://login.microsoftonline.com";

    /// <summary>Not supported: a server has nobody who types a code. It stops the start.</summary>
    public bool UseDeviceCodeFlow { get; set; }

    /// <summary>How often a query is sent before it counts as failed. Changes are sent once.</summary>
    public int MaxRetries { get; set; } = 3;

    /// <summary>The tools answer to the names of the original server too, which have no prefix.</summary>
    public bool OriginalNames { get; set; }

    /// <summary>The time zone of days, weeks and hours in figures, as an IANA name.</summary>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>
    /// How Cway counts progress: <c>percent</c> (0 to 100), <c>fraction</c> (0 to 1), or <c>auto</c>, which learns it.
    /// </summary>
    public string PercentageScale { get; set; } = "auto";

    /// <summary>How many projects figures are made of; further ones are left out, and the result says so.</summary>
    public int MaxProjects { get; set; } = 10_000;

    /// <summary>How often stagnation alerts are looked up while a client is subscribed to them.</summary>
    public TimeSpan AlertInterval { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>The folder below which index files are written.</summary>
    public string DataFolder { get; set; } = "data";

    /// <summary>Where <c>cway_index_all_content</c> may write, by name.</summary>
    public Dictionary<string, CwayIndexTarget> Targets { get; } = new(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (
            var (setting, url) in ((string, string)[])[("Cway:Url (CWAY_API_URL)", Url), ("Cway:Authority", Authority)]
        )
        {
            if (!IsPlainHttp(url))
            {
                yield return new(
                    $"{setting} must be an absolute http or https address without user name or query, "
                        + "for example https://app.cway.se/graphql."
                );
            }
        }

        if (Token?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new("Cway:Token (CWAY_API_TOKEN) must be one line of printable ASCII without spaces.");
        }

        foreach (var problem in AuthProblems().Concat(RangeProblems()).Concat(TargetProblems()))
        {
            yield return new(problem);
        }
    }

    internal bool UsesOAuth => AuthMethod.Equals("oauth2", StringComparison.OrdinalIgnoreCase);

    internal TimeZoneInfo Zone => TimeZoneInfo.FindSystemTimeZoneById(TimeZone);

    internal static bool IsPlainHttp(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", Query: "", Fragment: "", UserInfo: "" };

    private IEnumerable<string> AuthProblems()
    {
        if (UseDeviceCodeFlow)
        {
            yield return "Cway:UseDeviceCodeFlow (USE_DEVICE_CODE_FLOW) is not supported, because a server has nobody "
                + "who types the code. Set AZURE_CLIENT_SECRET, or use AUTH_METHOD=static with CWAY_API_TOKEN.";
        }

        if (UsesOAuth)
        {
            foreach (
                var (setting, value) in ((string, string?)[])
                    [
                        ("Cway:TenantId (AZURE_TENANT_ID)", TenantId),
                        ("Cway:ClientId (AZURE_CLIENT_ID)", ClientId),
                        ("Cway:ClientSecret (AZURE_CLIENT_SECRET)", ClientSecret),
                    ]
            )
            {
                if (string.IsNullOrEmpty(value))
                {
                    yield return $"{setting} must be set, because Cway:AuthMethod (AUTH_METHOD) is oauth2.";
                }
            }
        }
        else if (!AuthMethod.Equals("static", StringComparison.OrdinalIgnoreCase))
        {
            yield return $"Cway:AuthMethod (AUTH_METHOD) is '{AuthMethod}'; it must be static or oauth2.";
        }
        else if (string.IsNullOrEmpty(Token))
        {
            yield return "Cway:Token (CWAY_API_TOKEN) must be set, because other settings of Cway are. "
                + "It is the API token of Cway.";
        }
    }

    private IEnumerable<string> RangeProblems()
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _))
        {
            yield return $"Cway:TimeZone is '{TimeZone}'; it must be an IANA name such as Europe/Stockholm.";
        }

        if (PercentageScale.ToLowerInvariant() is not ("auto" or "percent" or "fraction"))
        {
            yield return $"Cway:PercentageScale is '{PercentageScale}'; it must be auto, percent or fraction.";
        }

        if (MaxRetries is < 1 or > 10)
        {
            yield return "Cway:MaxRetries (MAX_RETRIES) must be from 1 to 10.";
        }

        if (MaxProjects is < 1 or > 100_000)
        {
            yield return "Cway:MaxProjects must be from 1 to 100000.";
        }

        if (AlertInterval < TimeSpan.FromMilliseconds(100) || AlertInterval > TimeSpan.FromDays(1))
        {
            yield return "Cway:AlertInterval must be from 00:00:00.1 to 1.00:00:00.";
        }
    }

    private IEnumerable<string> TargetProblems() =>
        Targets.SelectMany(target => target.Value.Problems().Select(problem => $"Cway:Targets:{target.Key}:{problem}"));
}

/// <summary>A place that content of Cway is written to for search.</summary>
internal sealed class CwayIndexTarget
{
    /// <summary><c>file</c> or <c>elasticsearch</c> (OpenSearch has the same bulk API).</summary>
    public string Platform { get; set; } = "file";

    public string Description { get; set; } = "";

    public bool Enabled { get; set; } = true;

    /// <summary>Of platform file: the name of the file below <see cref="CwayOptions.DataFolder"/>.</summary>
    public string File { get; set; } = "cway.jsonl";

    /// <summary>Of platform elasticsearch: the address of the cluster.</summary>
    public string? Url { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of the system's certificate, where no known authority signed it; <c>any</c> accepts
    /// every certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "Cway:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    public string Index { get; set; } = "cway";

    /// <summary>Of platform elasticsearch: sent as <c>Authorization: ApiKey</c>.</summary>
    [DataType(DataType.Password)]
    public string? ApiKey { get; set; }

    internal bool IsFile => Platform.Equals("file", StringComparison.OrdinalIgnoreCase);

    internal IEnumerable<string> Problems()
    {
        if (!IsFile && Platform.ToLowerInvariant() is not ("elasticsearch" or "opensearch"))
        {
            yield return $"Platform is '{Platform}'; it must be file, elasticsearch or opensearch.";
        }
        else if (IsFile && (File.Length is 0 or > 100 || File != Path.GetFileName(File) || File.StartsWith('.')))
        {
            yield return $"File is '{File}'; it must be the name of a file, without a folder.";
        }
        else if (!IsFile && !CwayOptions.IsPlainHttp(Url))
        {
            yield return "Url must be an absolute http or https address without user name or query.";
        }

        if (!IsFile && (Index.Length is 0 or > 100 || Index.Any(letter => !IsIndexLetter(letter)) || Index[0] == '_'))
        {
            yield return $"Index is '{Index}'; it must be lower-case letters, digits, '-' and '_'.";
        }
    }

    private static bool IsIndexLetter(char letter) =>
        char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '_';
}

/// <summary>Adds the family.</summary>
internal static class CwaySetup
{
    public static IServiceCollection AddCway(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Cway");
        var options = services.AddOptions<CwayOptions>().Bind(section);
        var (url, token) = (section[nameof(CwayOptions.Url)], section[nameof(CwayOptions.Token)]);
        var usesOAuth = "oauth2".Equals(section[nameof(CwayOptions.AuthMethod)], StringComparison.OrdinalIgnoreCase);
        var tenant = section[nameof(CwayOptions.TenantId)];
        if (string.IsNullOrEmpty(url) && string.IsNullOrEmpty(token) && !(usesOAuth && !string.IsNullOrEmpty(tenant)))
        {
            return services;
        }

        options.ValidateDataAnnotations().ValidateOnStart();
        services.AddHttpClient(nameof(CwayClient), http =>
            http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("MinimalMcp-Cway", "1.0"))
        );
        services.AddHttpClient(CwayIndexTools.Upstream);
        services.AddDistributedMemoryCache(); // the host's own, where it has one
        services.TryAddSingleton(TimeProvider.System);
        services.AddHealthChecks().AddCheck<CwayClient>("cway");
        services.AddHostedService<CwayAlertWatch>();
        services.AddCwayRoutes();
        return services
            .AddSingleton<CwayTokenClient>()
            .AddSingleton<CwayClient>()
            .AddSingleton<CwayHistoryClient>()
            .AddSingleton<CwayTools>()
            .AddSingleton<CwayProjectTools>()
            .AddSingleton<CwayClosingTools>()
            .AddSingleton<CwayUserTools>()
            .AddSingleton<CwayTeamTools>()
            .AddSingleton<CwayArtworkTools>()
            .AddSingleton<CwayMediaTools>()
            .AddSingleton<CwayAnalyticsTools>()
            .AddSingleton<CwayIndexTools>()
            .AddSingleton<CwayResources>()
            .AddSingleton<CwayPrompts>();
    }
}
