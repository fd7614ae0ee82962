using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;

namespace MinimalMcp.Tools.Portainer;

public sealed class PortainerOptions : IValidatableObject
{
    /// <summary>Where Portainer answers, with its path if it has one. Without it the family is off.</summary>
    public string? Url { get; set; }

    /// <summary>An access token of My account, sent as X-API-Key. Set it in the environment, not in a file.</summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    /// <summary>The address at which people open Portainer, when it is not Url.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>
    /// For a certificate that no authority has signed: its SHA-256 fingerprint, or <c>any</c>, which believes whoever
    /// answers.
    /// </summary>
    public string? Certificate { get; set; }

    /// <summary>Whether portainer_inspect_container and portainer_get_stack show values of variables.</summary>
    public bool ShowEnvironment { get; set; }

    /// <summary>Url without an /api at its end and with a slash; null when it is none.</summary>
    internal Uri? Root
    {
        get
        {
            if (!Uri.TryCreate(Url, UriKind.Absolute, out var url))
            {
                return null;
            }

            var path = url.GetLeftPart(UriPartial.Path).TrimEnd('/');
            return new((path.EndsWith("/api", StringComparison.Ordinal) ? path[..^4] : path) + "/");
        }
    }

    /// <summary>The only credential: Portainer answers 403 to an Authorization header or a cookie beside it.</summary>
    internal IReadOnlyDictionary<string, string> Headers =>
        new Dictionary<string, string> { ["X-API-Key"] = Token ?? "" };

    /// <summary>Whether a certificate is the named one. Null when the system judges.</summary>
    internal Func<string, bool>? Accepts =>
        string.IsNullOrEmpty(Certificate) ? null
        : Certificate == "any" ? _ => true
        : fingerprint => string.Equals(fingerprint, Fingerprint, StringComparison.OrdinalIgnoreCase);

    private string Fingerprint => (Certificate ?? "").Replace(":", "", StringComparison.Ordinal).Trim();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        (string, string?)[] addresses =
        [
            ("Portainer:Url (APP_PORTAINER__URL)", Url),
            ("Portainer:PublicUrl", PublicUrl),
        ];
        foreach (var (setting, url) in addresses)
        {
            if (!string.IsNullOrEmpty(url) && !IsPlain(url))
            {
                yield return new(
                    $"{setting} must be an absolute http or https address without user name or query,"
                        + " for example https://portainer.example.com:9443."
                );
            }
        }

        if (!string.IsNullOrEmpty(Url) && string.IsNullOrEmpty(Token))
        {
            yield return new(
                "Portainer:Token (APP_PORTAINER__TOKEN) is missing:"
                    + " make an access token in Portainer under My account.",
                [nameof(Token)]
            );
        }

        if (Token?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new("Portainer:Token must be one line of printable ASCII without spaces.", [nameof(Token)]);
        }

        if (
            !string.IsNullOrEmpty(Certificate)
            && Certificate != "any"
            && !(Fingerprint.Length == 64 && Fingerprint.All(char.IsAsciiHexDigit))
        )
        {
            yield return new(
                "Portainer:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any.",
                [nameof(Certificate)]
            );
        }
    }

    private static bool IsPlain(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", Query: "", UserInfo: "", Fragment: "" };
}

public static class PortainerSetup
{
    public static IServiceCollection AddPortainer(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Portainer");
        services.AddOptions<PortainerOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        var options = section.Get<PortainerOptions>();
        if (options?.Root is null)
        {
            return services; // not configured, or wrongly, which the options say when the server starts
        }

        var client = services.AddHttpClient(nameof(PortainerClient));
        if (options.Accepts is { } accepts)
        {
            client.ConfigurePrimaryHttpMessageHandler(() =>
                new SocketsHttpHandler
                {
                    SslOptions =
                    {
                        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                            certificate is not null && accepts(certificate.GetCertHashString(HashAlgorithmName.SHA256)),
                    },
                }
            );
        }

        services.AddHealthChecks().AddCheck<PortainerClient>("portainer");
        return services
            .AddSingleton<PortainerClient>()
            .AddSingleton<PortainerTools>()
            .AddSingleton<PortainerStackTools>();
    }
}
