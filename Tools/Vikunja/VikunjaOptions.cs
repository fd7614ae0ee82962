using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>Settings of the family; configuration section <c>Vikunja</c>.</summary>
internal sealed class VikunjaOptions : IValidatableObject
{
    /// <summary>
    /// Address of Vikunja, with or without /api/v1 at the end. Without it the family is disabled.
    /// </summary>
    public string? Url { get; set; }

    /// <summary>
    /// An API token (tk_...), sent as a bearer token. Its permissions are chosen when it is created in Vikunja.
    /// </summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of the system's certificate, where no known authority signed it; <c>any</c> accepts
    /// every certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "Vikunja:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    /// <summary>The address at which people open Vikunja, when it is not Url.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>The zone of dates that name none, as an IANA name.</summary>
    public string TimeZone { get; set; } = "UTC";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (
            var (setting, url) in ((string, string?)[])
                [("Vikunja:Url (APP_VIKUNJA__URL)", Url), ("Vikunja:PublicUrl", PublicUrl)]
        )
        {
            if (
                !string.IsNullOrEmpty(url)
                && !(
                    Uri.TryCreate(url, UriKind.Absolute, out var uri)
                    && uri is { Scheme: "http" or "https", Query: "", Fragment: "", UserInfo: "" }
                )
            )
            {
                yield return new(
                    $"{setting} must be an absolute http or https address without user name or query,"
                        + " for example https://tasks.example.com."
                );
            }
        }

        if (Token?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new(
                "Vikunja:Token (APP_VIKUNJA__TOKEN) must be one line of printable ASCII without spaces.",
                [nameof(Token)]
            );
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _))
        {
            yield return new(
                $"Vikunja:TimeZone is '{TimeZone}'; it must be an IANA name such as Europe/Paris.",
                [nameof(TimeZone)]
            );
        }
    }

    /// <summary>The address that paths are added to: without /api/v1, and without a slash at the end.</summary>
    internal static string RootOf(string url)
    {
        var root = url.TrimEnd('/');
        return
            root.EndsWith("/api/v1", StringComparison.OrdinalIgnoreCase)
            || root.EndsWith("/api/v2", StringComparison.OrdinalIgnoreCase)
            ? root[..^"/api/v1".Length].TrimEnd('/')
            : root;
    }
}

/// <summary>The door of the family.</summary>
internal static class VikunjaSetup
{
    /// <summary>Adds the family when <c>Vikunja:Url</c> is set.</summary>
    public static IServiceCollection AddVikunja(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Vikunja");
        services.AddOptions<VikunjaOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        var (url, token) = (section[nameof(VikunjaOptions.Url)], section[nameof(VikunjaOptions.Token)]);
        if (!Uri.TryCreate(url, UriKind.Absolute, out _))
        {
            return services; // not configured, or wrongly, which the options say when the server starts
        }

        services.AddHttpClient(nameof(VikunjaClient), http =>
        {
            http.BaseAddress = new(VikunjaOptions.RootOf(url) + "/");
            http.DefaultRequestHeaders.Authorization = string.IsNullOrEmpty(token)
                ? null
                : new AuthenticationHeaderValue("Bearer", token);
        });
        // Changes of one object take turns. A host with several replicas brings a limiter that they share.
        services.TryAddSingleton(_ =>
            PartitionedRateLimiter.Create<string, string>(name =>
                RateLimitPartition.GetConcurrencyLimiter(name, _ => new() { PermitLimit = 1, QueueLimit = 100 })
            )
        );
        services.TryAddSingleton(TimeProvider.System);
        services.AddHealthChecks().AddCheck<VikunjaClient>("vikunja");
        return services.AddSingleton<VikunjaClient>().AddSingleton<VikunjaTasks>().AddSingleton<VikunjaTools>();
    }
}
