using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Text;

namespace MinimalMcp.Tools.SilverBullet;

public sealed class SilverBulletOptions : IValidatableObject
{
    /// <summary>Where the space answers, with its prefix when a server has several. Without it the family is off.</summary>
    public string? Url { get; set; }

    /// <summary>SB_AUTH_TOKEN of the server. With a colon it is a user and a password for a proxy in front of it, sent as Basic.</summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

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
                    $"{setting} must be an absolute http or https address without user name or query, for example https://notes.example.com."
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

public static class SilverBulletSetup
{
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
            http.DefaultRequestHeaders.Add("X-Sync-Mode", "true"); // without it older servers redirect a page's path to their UI
            http.DefaultRequestHeaders.Authorization =
                string.IsNullOrEmpty(token) ? null
                : token.Contains(':', StringComparison.Ordinal)
                    ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(token)))
                : new AuthenticationHeaderValue("Bearer", token);
        });
        services.AddHealthChecks().AddCheck<SilverBulletClient>("silverbullet");
        return services
            .AddSingleton<SilverBulletClient>()
            .AddSingleton<SilverBulletSearch>()
            .AddSingleton<SilverBulletTools>();
    }
}
