using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;

namespace MinimalMcp.Tools.Jira;

public sealed class JiraOptions : IValidatableObject
{
    /// <summary>Address of Jira. Without it the family is disabled: its tools are not listed.</summary>
    public string? Url { get; set; }

    /// <summary>Sent as a bearer token. Set it in the environment (Jira__Token), not in a file.</summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (
            !string.IsNullOrEmpty(Url)
            && !(
                Uri.TryCreate(Url, UriKind.Absolute, out var uri)
                && uri is { Scheme: "http" or "https", Query: "", UserInfo: "" }
            )
        )
        {
            yield return new(
                "Jira:Url must be an absolute http or https address without user name or query,"
                    + " for example https://jira.example.com.",
                [nameof(Url)]
            );
        }

        if (Token?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new("Jira:Token must be one line of printable ASCII without spaces.", [nameof(Token)]);
        }
    }
}

public static class JiraSetup
{
    /// <summary>Found by its name: Add, and the name of the folder.</summary>
    public static IServiceCollection AddJira(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Jira");
        services.AddOptions<JiraOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        var (url, token) = (section[nameof(JiraOptions.Url)], section[nameof(JiraOptions.Token)]);
        if (!Uri.TryCreate(url, UriKind.Absolute, out _))
        {
            return services; // not configured, or wrongly, which the options say when the server starts
        }

        services
            .AddHttpClient<JiraClient>(http =>
            {
                http.BaseAddress = new Uri(url.TrimEnd('/') + "/");
                http.Timeout = TimeSpan.FromSeconds(30);
                http.MaxResponseContentBufferSize = 1 << 20;
                http.DefaultRequestHeaders.Authorization = string.IsNullOrEmpty(token)
                    ? null
                    : new AuthenticationHeaderValue("Bearer", token);
            })
            // Callers share the connections, never a cookie. A token must not follow a redirect. A new address of the
            // host is noticed.
            .ConfigurePrimaryHttpMessageHandler(() =>
                new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseCookies = false,
                    PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                }
            )
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        services.AddHealthChecks().AddCheck<JiraClient>("jira");
        return services.AddSingleton<JiraTools>();
    }
}
