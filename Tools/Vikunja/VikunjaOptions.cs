using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;

namespace MinimalMcp.Tools.Vikunja;

public sealed class VikunjaOptions : IValidatableObject
{
    /// <summary>Where Vikunja answers, with or without /api/v1 at the end. Without it the family is off.</summary>
    public string? Url { get; set; }

    /// <summary>An API token (tk_...), sent as a bearer token. What it may do is chosen when it is made.</summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

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
                    $"{setting} must be an absolute http or https address without user name or query, for example https://tasks.example.com."
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
        return root.EndsWith("/api/v1", StringComparison.OrdinalIgnoreCase)
            ? root[..^"/api/v1".Length].TrimEnd('/')
            : root;
    }
}

public static class VikunjaSetup
{
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
        services.AddHealthChecks().AddCheck<VikunjaClient>("vikunja");
        return services.AddSingleton<VikunjaClient>().AddSingleton<VikunjaTasks>().AddSingleton<VikunjaTools>();
    }
}
