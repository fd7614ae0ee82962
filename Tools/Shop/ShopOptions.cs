using System.ComponentModel.DataAnnotations;
using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MinimalMcp.Tools.Shop;

/// <summary>Settings of the family; configuration section <c>Shop</c>.</summary>
internal sealed class ShopOptions : IValidatableObject
{
    /// <summary>Address of the shop's own server. Without it the embedded shop answers.</summary>
    public string? Url { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of the system's certificate, where no known authority signed it; <c>any</c> accepts
    /// every certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "Shop:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    /// <summary>Sent as X-MCP-API-Key. The server then sees one customer, whoever calls.</summary>
    [DataType(DataType.Password)]
    public string? ApiKey { get; set; }

    /// <summary>
    /// Passes on the caller's Authorization and X-User-Token. Only for a server that is meant to see them.
    /// </summary>
    public bool ForwardAuthorization { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrEmpty(Url) && !IsPlainHttp(Url))
        {
            yield return new(
                "Shop:Url (NEXTJS_URL) must be an absolute http or https address without user name or query, "
                    + "for example http://localhost:3000.",
                [nameof(Url)]
            );
        }

        if (ApiKey?.Any(letter => letter is < '!' or > '~') is true)
        {
            yield return new("Shop:ApiKey must be one line of printable ASCII without spaces.", [nameof(ApiKey)]);
        }
    }

    private static bool IsPlainHttp(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" };
}

/// <summary>The door of the family.</summary>
internal static class ShopSetup
{
    /// <summary>Adds the family. It needs no setting: without <c>Shop:Url</c> the embedded shop answers.</summary>
    public static IServiceCollection AddShop(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Shop");
        services.AddOptions<ShopOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();

        // The accessor costs every request a little, so it is there only for those who asked.
        if (bool.TryParse(section[nameof(ShopOptions.ForwardAuthorization)], out var forward) && forward)
        {
            services.AddHttpContextAccessor();
        }

        services.AddHttpClient(nameof(ShopClient));
        if (!string.IsNullOrEmpty(section[nameof(ShopOptions.Url)]))
        {
            services.AddHealthChecks().AddCheck<ShopClient>("shop");
        }

        // Carts are kept in the host's cache; without one, in memory. Changes of one cart take turns.
        services.AddDistributedMemoryCache();
        services.TryAddSingleton(_ =>
            PartitionedRateLimiter.Create<string, string>(name =>
                RateLimitPartition.GetConcurrencyLimiter(name, _ => new() { PermitLimit = 1, QueueLimit = 100 })
            )
        );
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton<ShopClient>().AddSingleton<ShopTools>();
    }
}
