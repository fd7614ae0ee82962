using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MinimalMcp.Tools.Prometheus;

internal sealed class PrometheusOptions : IValidatableObject
{
    /// <summary>The address of Prometheus, with its path prefix if any. Without it the family is disabled.</summary>
    public string? Url { get; set; }

    /// <summary>Sent as a bearer token, for a Prometheus behind a proxy.</summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of the system's certificate, where no known authority signed it; <c>any</c> accepts
    /// every certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "Prometheus:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    /// <summary>With the password, for basic authentication.</summary>
    public string? Username { get; set; }

    [DataType(DataType.Password)]
    public string? Password { get; set; }

    /// <summary>Sent as X-Scope-OrgID: the tenant of Mimir, Cortex or Thanos.</summary>
    public string? OrgId { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrEmpty(Url) && !IsPlainHttp(Url))
        {
            yield return new(
                "Prometheus:Url (APP_PROMETHEUS__URL) must be an absolute http or https address without user name or "
                    + "query, for example http://localhost:9090.",
                [nameof(Url)]
            );
        }
        else if (Url?.TrimEnd('/').EndsWith("/api/v1", StringComparison.Ordinal) is true)
        {
            yield return new(
                "Prometheus:Url (APP_PROMETHEUS__URL) must be the address of Prometheus itself: leave out /api/v1.",
                [nameof(Url)]
            );
        }

        if (!IsLine(Token) || !IsLine(OrgId))
        {
            yield return new(
                "Prometheus:Token and Prometheus:OrgId must each be one line of printable ASCII without spaces.",
                [nameof(Token), nameof(OrgId)]
            );
        }

        if (string.IsNullOrEmpty(Username) != string.IsNullOrEmpty(Password) || Username?.Contains(':') is true)
        {
            yield return new(
                "Prometheus:Username and Prometheus:Password belong together, and a user name has no colon (RFC 7617).",
                [nameof(Username), nameof(Password)]
            );
        }

        if (!string.IsNullOrEmpty(Token) && !string.IsNullOrEmpty(Username))
        {
            yield return new(
                "Set Prometheus:Token or Prometheus:Username with Prometheus:Password, not both.",
                [nameof(Token), nameof(Username)]
            );
        }
    }

    internal AuthenticationHeaderValue? Credentials() =>
        !string.IsNullOrEmpty(Token) ? new("Bearer", Token)
        : !string.IsNullOrEmpty(Username)
            ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")))
        : null;

    internal static bool IsPlainHttp(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" };

    private static bool IsLine(string? text) => text?.Any(letter => letter is < '!' or > '~') is not true;
}

internal static class PrometheusSetup
{
    public static IServiceCollection AddPrometheus(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Prometheus");
        services.AddOptions<PrometheusOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        var options = section.Get<PrometheusOptions>();
        if (options?.Url is not { Length: > 0 } url || !PrometheusOptions.IsPlainHttp(url))
        {
            return services; // not configured; a wrong address is reported by the options when the server starts
        }

        services.AddHttpClient<PrometheusClient>(http =>
        {
            http.BaseAddress = new Uri(url.TrimEnd('/') + "/api/v1/");
            http.DefaultRequestHeaders.Authorization = options.Credentials();
            if (!string.IsNullOrEmpty(options.OrgId))
            {
                http.DefaultRequestHeaders.Add("X-Scope-OrgID", options.OrgId);
            }
        });
        services.AddHealthChecks().AddCheck<PrometheusClient>("prometheus");
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton<PrometheusTools>();
    }
}
