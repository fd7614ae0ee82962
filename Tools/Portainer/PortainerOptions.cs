using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Tools.Portainer;

internal sealed class PortainerOptions : IValidatableObject
{
    /// <summary>The address of Portainer, with its path if it has one. Without it the family is disabled.</summary>
    public string? Url { get; set; }

    /// <summary>
    /// An access token (My account, Access tokens), sent as X-API-Key. Set it in the environment, not in a file.
    /// </summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    /// <summary>The address at which people open Portainer, when it differs from Url.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of Portainer's certificate, where no known authority signed it; <c>any</c> accepts every
    /// certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "Portainer:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    /// <summary>Whether portainer_inspect_container and portainer_get_stack show the values of variables.</summary>
    public bool ShowEnvironment { get; set; }

    /// <summary>Url without a final /api and with a slash; null when it is not an address.</summary>
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
                    + " create an access token in Portainer under My account.",
                [nameof(Token)]
            );
        }

        if (Token?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new("Portainer:Token must be one line of printable ASCII without spaces.", [nameof(Token)]);
        }
    }

    private static bool IsPlain(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", Query: "", UserInfo: "", Fragment: "" };
}

internal static class PortainerSetup
{
    public static IServiceCollection AddPortainer(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Portainer");
        services.AddOptions<PortainerOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        var options = section.Get<PortainerOptions>();
        if (options?.Root is null)
        {
            return services; // not configured, or wrongly, which the check of the options reports
        }

        services.AddHttpClient(nameof(PortainerClient));
        services.AddHealthChecks().AddCheck<PortainerClient>("portainer");
        return services
            .AddSingleton<PortainerClient>()
            .AddSingleton<PortainerTools>()
            .AddSingleton<PortainerStackTools>();
    }
}
