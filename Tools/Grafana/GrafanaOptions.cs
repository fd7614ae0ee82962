using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net.Http.Headers;
using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MinimalMcp.Tools.Grafana;

internal sealed class GrafanaOptions : IValidatableObject
{
    /// <summary>The address of Grafana, with its path prefix if any. Without it the family is disabled.</summary>
    public string? Url { get; set; }

    /// <summary>The token of a service account, sent as a bearer token. Its role is what the tools may do.</summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of the system's certificate, where no known authority signed it; <c>any</c> accepts
    /// every certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "Grafana:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    /// <summary>The address at which people open Grafana, when it is not Url.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>Sent as X-Grafana-Org-Id, for credentials that belong to several organisations.</summary>
    public int? OrgId { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrEmpty(Url) && !IsPlainHttp(Url))
        {
            yield return new(
                "Grafana:Url (APP_GRAFANA__URL) must be an absolute http or https address without user name or query, "
                    + "for example http://localhost:3000.",
                [nameof(Url)]
            );
        }
        else if (Url?.TrimEnd('/').EndsWith("/api", StringComparison.Ordinal) is true)
        {
            yield return new(
                "Grafana:Url (APP_GRAFANA__URL) must be the address of Grafana itself: leave out /api.",
                [nameof(Url)]
            );
        }

        if (!string.IsNullOrEmpty(PublicUrl) && !IsPlainHttp(PublicUrl))
        {
            yield return new(
                "Grafana:PublicUrl must be an absolute http or https address without user name or query, "
                    + "for example https://grafana.example.com.",
                [nameof(PublicUrl)]
            );
        }

        if (Token?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new(
                "Grafana:Token (APP_GRAFANA__TOKEN) must be one line of printable ASCII without spaces, "
                    + "for example glsa_...",
                [nameof(Token)]
            );
        }
    }

    internal static bool IsPlainHttp(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" };
}

internal static class GrafanaSetup
{
    public static IServiceCollection AddGrafana(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Grafana");
        services.AddOptions<GrafanaOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        var (url, token, org) = (
            section[nameof(GrafanaOptions.Url)],
            section[nameof(GrafanaOptions.Token)],
            section[nameof(GrafanaOptions.OrgId)]
        );
        if (string.IsNullOrEmpty(url) || !GrafanaOptions.IsPlainHttp(url))
        {
            return services; // not configured; a wrong address is reported by the options when the server starts
        }

        services.AddHttpClient<GrafanaClient>(http =>
        {
            http.BaseAddress = new Uri(url.TrimEnd('/') + "/api/");
            http.DefaultRequestHeaders.Authorization = string.IsNullOrEmpty(token)
                ? null
                : new AuthenticationHeaderValue("Bearer", token);
            http.DefaultRequestHeaders.Accept.ParseAdd("application/json");
            if (int.TryParse(org, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                http.DefaultRequestHeaders.Add("X-Grafana-Org-Id", id.ToString(CultureInfo.InvariantCulture));
            }
        });
        // Changes of one dashboard take turns. A host with several replicas brings a limiter that they share.
        services.TryAddSingleton(_ =>
            PartitionedRateLimiter.Create<string, string>(name =>
                RateLimitPartition.GetConcurrencyLimiter(name, _ => new() { PermitLimit = 1, QueueLimit = 100 })
            )
        );
        services.AddHealthChecks().AddCheck<GrafanaClient>("grafana");
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton<GrafanaDashboardTools>().AddSingleton<GrafanaTools>();
    }
}
