using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>Settings of the family; configuration section <c>SilverBullet</c>.</summary>
internal sealed class SilverBulletOptions : IValidatableObject
{
    /// <summary>
    /// Address of the space, with its prefix when a server has several. Without it the family is disabled.
    /// </summary>
    public string? Url { get; set; }

    /// <summary>
    /// SB_AUTH_TOKEN of the server, sent as a bearer token. With a colon it is the user and the password for a proxy in
    /// front of the server, sent as Basic.
    /// </summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of the system's certificate, where no known authority signed it; <c>any</c> accepts
    /// every certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "SilverBullet:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    /// <summary>The address at which people open the space, when it is not Url.</summary>
    public string? PublicUrl { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (
            var (setting, url) in ((string, string?)[])
                [("SilverBullet:Url (APP_SILVERBULLET__URL)", Url), ("SilverBullet:PublicUrl", PublicUrl)]
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
                        + " for example https://notes.example.com."
                );
            }
        }

        if (Token?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new(
                "SilverBullet:Token (APP_SILVERBULLET__TOKEN) must be one line of printable ASCII without spaces.",
                [nameof(Token)]
            );
        }
    }
}

/// <summary>The door of the family.</summary>
internal static class SilverBulletSetup
{
    /// <summary>Adds the family when <c>SilverBullet:Url</c> is set.</summary>
    public static IServiceCollection AddSilverBullet(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("SilverBullet");
        services.AddOptions<SilverBulletOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        var (url, token) = (section[nameof(SilverBulletOptions.Url)], section[nameof(SilverBulletOptions.Token)]);
        if (!Uri.TryCreate(url, UriKind.Absolute, out _))
        {
            return services; // not configured, or wrongly, which the options say when the server starts
        }

        services.AddHttpClient(nameof(SilverBulletClient), http =>
        {
            http.BaseAddress = new(url.TrimEnd('/') + "/");

            // Without it older servers redirect the path of a page to their user interface.
            http.DefaultRequestHeaders.Add("X-Sync-Mode", "true");
            http.DefaultRequestHeaders.Authorization =
                string.IsNullOrEmpty(token) ? null
                : token.Contains(':', StringComparison.Ordinal)
                    ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(token)))
                : new AuthenticationHeaderValue("Bearer", token);
        });
        // Changes of one object take turns. A host with several replicas brings a limiter that they share.
        services.TryAddSingleton(_ =>
            PartitionedRateLimiter.Create<string, string>(name =>
                RateLimitPartition.GetConcurrencyLimiter(name, _ => new() { PermitLimit = 1, QueueLimit = 100 })
            )
        );
        services.TryAddSingleton(TimeProvider.System);
        services.AddHealthChecks().AddCheck<SilverBulletClient>("silverbullet");
        return services
            .AddSingleton<SilverBulletClient>()
            .AddSingleton<SilverBulletSearch>()
            .AddSingleton<SilverBulletTools>();
    }
}
