using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>Settings of the family; configuration section <c>SilverBullet</c>.</summary>
public sealed class SilverBulletOptions : IValidatableObject
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
    /// For a certificate that no known authority has signed: its SHA-256 fingerprint, or <c>any</c>, which accepts
    /// every certificate.
    /// </summary>
    public string? Certificate { get; set; }

    /// <summary>The address at which people open the space, when it is not Url.</summary>
    public string? PublicUrl { get; set; }

    // Null leaves the decision to the system.
    internal RemoteCertificateValidationCallback? AcceptCertificate =>
        string.IsNullOrEmpty(Certificate)
            ? null
            : (_, certificate, _, errors) =>
                errors is SslPolicyErrors.None
                || Certificate == "any"
                || Fingerprint.Equals(
                    certificate?.GetCertHashString(HashAlgorithmName.SHA256),
                    StringComparison.OrdinalIgnoreCase
                );

    private string Fingerprint => (Certificate ?? "").Replace(":", "", StringComparison.Ordinal).Trim();

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

        if (
            !string.IsNullOrEmpty(Certificate)
            && Certificate != "any"
            && !(Fingerprint.Length == 64 && Fingerprint.All(char.IsAsciiHexDigit))
        )
        {
            yield return new(
                "SilverBullet:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any.",
                [nameof(Certificate)]
            );
        }
    }
}

/// <summary>The door of the family.</summary>
public static class SilverBulletSetup
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

        var client = services.AddHttpClient(nameof(SilverBulletClient), http =>
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
        if (section.Get<SilverBulletOptions>()!.AcceptCertificate is { } accept)
        {
            client.ConfigurePrimaryHttpMessageHandler(() =>
                new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = accept } }
            );
        }

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
