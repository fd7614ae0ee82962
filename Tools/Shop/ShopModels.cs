using System.Collections.Frozen;
using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelContextProtocol;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace MinimalMcp.Tools.Shop;

/// <summary>A result holds data of the embedded shop or, when Shop:Url is set, the words of its agent.</summary>
internal abstract record ShopResult
{
    [JsonIgnore(Condition = WhenWritingNull)]
    [Description("Answer of the shop's agent. When it is there, it is the whole result.")]
    public string? Answer { get; init; }
}

internal sealed record SearchResult(
    [property: JsonIgnore(Condition = WhenWritingNull), Description("How many products match, listed or not.")]
        int? Total = null,
    [property: JsonIgnore(Condition = WhenWritingNull)] IReadOnlyList<Product>? Products = null
) : ShopResult;

internal sealed record CartResult([property: JsonIgnore(Condition = WhenWritingNull)] Cart? Cart = null) : ShopResult;

internal sealed record OrderResult(
    [property: JsonIgnore(Condition = WhenWritingNull)] Order? Order = null,
    [property:
        JsonIgnore(Condition = WhenWritingNull),
        Description("Of a dry run: what a call without dry_run would order.")
    ]
        Cart? WouldOrder = null
) : ShopResult;

internal sealed record PaymentMethodResult(
    [property: JsonIgnore(Condition = WhenWritingNull)] PaymentMethod? PaymentMethod = null
) : ShopResult;

internal sealed record DealsResult(
    [property: JsonIgnore(Condition = WhenWritingNull)] IReadOnlyList<Product>? Deals = null
) : ShopResult;

internal sealed record Product(
    [property: Description("What add_to_cart takes.")] string ProductCode,
    string Name,
    string Category,
    [property: Description("Regular price. With a deal, the deal's price is charged.")] decimal Price,
    string Currency = "USD",
    bool InStock = true,
    [property: JsonIgnore(Condition = WhenWritingNull)] Deal? Deal = null
)
{
    internal readonly string SearchText = $"{Name}\n{Category}\n{ProductCode}".ToLowerInvariant();
}

internal sealed record Deal(
    decimal Price,
    int PercentOff,
    [property: Description("How long the deal holds.")] string Valid
);

internal sealed record CartLine(string ProductCode, string Name, int Quantity, decimal UnitPrice, decimal LineTotal);

internal sealed record Cart(IReadOnlyList<CartLine> Lines, int TotalItems, decimal Total, string Currency = "USD");

internal sealed record Order(
    string OrderId,
    DateTimeOffset PlacedAt,
    [property: Description("How it is paid: the masked payment method, or on delivery.")] string Payment,
    Cart Cart,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Note = null
);

internal sealed record PaymentMethod(string Id, PaymentType Type, string Label, bool IsDefault);

[JsonConverter(typeof(JsonStringEnumConverter<PaymentType>))]
internal enum PaymentType
{
    [JsonStringEnumMemberName("credit_card")]
    CreditCard,

    [JsonStringEnumMemberName("debit_card")]
    DebitCard,

    [JsonStringEnumMemberName("bank_account")]
    BankAccount,

    [JsonStringEnumMemberName("paypal")]
    PayPal,
}

/// <summary>What the embedded shop sells, read from catalog.json.</summary>
internal sealed class Catalogue(Product[] products, IReadOnlyDictionary<string, string> aliases)
{
    private readonly string[] _categories = [.. products.Select(product => product.Category).Distinct()];

    private readonly FrozenDictionary<string, Product> _byCode = products
        .Select(product => KeyValuePair.Create(product.ProductCode, product))
        .Concat(
            aliases.Select(alias =>
                KeyValuePair.Create(alias.Key, products.Single(product => product.ProductCode == alias.Value))
            )
        )
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public Product[] Products { get; } = products;

    public IReadOnlyDictionary<string, string> Aliases { get; } = aliases;

    public static Catalogue Load()
    {
        using var file = typeof(Catalogue).Assembly.GetManifestResourceStream(typeof(Catalogue), "catalog.json")!;
        return JsonSerializer.Deserialize<Catalogue>(file, JsonSerializerOptions.Web)!;
    }

    public SearchResult Search(string query, string? category, int limit)
    {
        category = KnownCategory(category);
        query = query.Trim().ToLowerInvariant();
        var words = query.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var found = new List<Product>();
        var leading = 0;
        foreach (var product in Products)
        {
            var matches = Matches(product, words) || _byCode.GetValueOrDefault(query) == product;
            if (!matches || (category is not null && product.Category != category))
            {
                continue;
            }

            // A name that starts with the query comes before one that only contains it.
            var place = product.SearchText.StartsWith(query, StringComparison.Ordinal) ? leading++ : found.Count;
            found.Insert(place, product);
        }

        return new(found.Count, found.Count <= limit ? found : found.GetRange(0, Math.Max(limit, 0)));
    }

    public DealsResult Deals(string? category)
    {
        category = KnownCategory(category);
        return new([
            .. Products.Where(product =>
                product.Deal is not null && (category is null || product.Category == category)
            ),
        ]);
    }

    public Product InStock(string code)
    {
        var product = _byCode.GetValueOrDefault(code.Trim()) ?? throw Unknown(code);
        return product.InStock
            ? product
            : throw new McpException(
                $"{product.Name} is out of stock. In stock instead: {string.Join(", ", InsteadOf(product))}."
            );
    }

    private static bool Matches(Product product, string[] words)
    {
        foreach (var word in words)
        {
            // A trailing s is dropped, so that "apples" finds the apple.
            var stem = word.Length > 3 && word[^1] == 's' ? word.AsSpan()[..^1] : word;
            if (!product.SearchText.AsSpan().Contains(stem, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    private string? KnownCategory(string? category) =>
        string.IsNullOrWhiteSpace(category)
            ? null
            : Array.Find(_categories, known => known.Equals(category.Trim(), StringComparison.OrdinalIgnoreCase))
                ?? throw new McpException(
                    $"There is no category \"{category}\". The categories are: {string.Join(", ", _categories)}."
                );

    private McpException Unknown(string code)
    {
        var near = Products
            .Select(product =>
                (
                    product.ProductCode,
                    Shared: product.ProductCode.AsSpan().CommonPrefixLength(code.Trim().ToLowerInvariant())
                )
            )
            .Where(candidate => candidate.Shared > 1)
            .OrderByDescending(candidate => candidate.Shared)
            .Take(3)
            .Select(candidate => candidate.ProductCode)
            .ToList();
        var hint = near.Count > 0 ? $" Near it: {string.Join(", ", near)}." : "";
        return new($"There is no product \"{code}\".{hint} Use search_products to find the code.");
    }

    private IEnumerable<string> InsteadOf(Product product) =>
        Products
            .Where(other => other.InStock && other.Category == product.Category)
            .Take(3)
            .Select(other => other.ProductCode);
}
