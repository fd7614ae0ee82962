using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Shop;

/// <summary>What the embedded shop sells, read from catalog.json.</summary>
internal sealed class Catalogue(Product[] products, IReadOnlyDictionary<string, string> aliases)
{
    private readonly string[] _categories = [.. products.Select(product => product.Category).Distinct()];

    private readonly FrozenDictionary<string, Product> _byCode = products
        .Select(product => KeyValuePair.Create(product.ProductCode, product))
        .Concat(aliases.Select(alias => KeyValuePair.Create(alias.Key, products.Single(product => product.ProductCode == alias.Value))))
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
            if ((category is not null && product.Category != category) || !Matches(product, words))
            {
                continue;
            }

            // A name that starts with the query goes before one that only contains it.
            var place = product.SearchText.StartsWith(query, StringComparison.Ordinal) ? leading++ : found.Count;
            found.Insert(place, product);
        }

        return new(found.Count, found.Count <= limit ? found : found.GetRange(0, Math.Max(limit, 0)));
    }

    public DealsResult Deals(string? category)
    {
        category = KnownCategory(category);
        return new([.. Products.Where(product => product.Deal is not null && (category is null || product.Category == category))]);
    }

    public Product InStock(string code)
    {
        var product = _byCode.GetValueOrDefault(code.Trim()) ?? throw Unknown(code);
        return product.InStock
            ? product
            : throw new McpException($"{product.Name} is out of stock. In stock instead: {string.Join(", ", InsteadOf(product))}.");
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

    private string? KnownCategory(string? category) => string.IsNullOrWhiteSpace(category)
        ? null
        : Array.Find(_categories, known => known.Equals(category.Trim(), StringComparison.OrdinalIgnoreCase))
            ?? throw new McpException($"There is no category \"{category}\". The categories are: {string.Join(", ", _categories)}.");

    private McpException Unknown(string code)
    {
        var near = Products
            .Select(product => (product.ProductCode, Shared: product.ProductCode.AsSpan().CommonPrefixLength(code.Trim().ToLowerInvariant())))
            .Where(candidate => candidate.Shared > 1)
            .OrderByDescending(candidate => candidate.Shared)
            .Take(3)
            .Select(candidate => candidate.ProductCode)
            .ToList();
        var hint = near.Count > 0 ? $" Near it: {string.Join(", ", near)}." : "";
        return new($"There is no product \"{code}\".{hint} Use search_products to find the code.");
    }

    private IEnumerable<string> InsteadOf(Product product) => Products
        .Where(other => other.InStock && other.Category == product.Category)
        .Take(3)
        .Select(other => other.ProductCode);
}

/// <summary>One cart per caller, in memory. One lock for all: what happens under it takes about a microsecond.</summary>
internal sealed class Carts(TimeProvider time)
{
    private const int MaxShoppers = 10_000, MaxLines = 100, MaxQuantity = 99, MaxPaymentMethods = 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Shopper>> _shoppers = [];
    private readonly LinkedList<Shopper> _byLastVisit = [];

    public CartResult Add(string caller, Product product, int quantity)
    {
        lock (_gate)
        {
            var shopper = Visit(caller);
            var others = shopper.Lines.Where(line => line.ProductCode != product.ProductCode).ToList();
            var already = shopper.Lines.FirstOrDefault(line => line.ProductCode == product.ProductCode)?.Quantity ?? 0;
            if (quantity < 1 || quantity > MaxQuantity - already)
            {
                throw new McpException($"quantity must be at least 1, and a cart holds at most {MaxQuantity} of one product; this one has {already}.");
            }

            if (others.Count == MaxLines)
            {
                throw new McpException($"The cart is full: it holds {MaxLines} different products. Check out first.");
            }

            var price = product.Deal?.Price ?? product.Price;
            var total = already + quantity;
            shopper.Lines = [.. others, new(product.ProductCode, product.Name, total, price, total * price)];
            return new(CartOf(shopper));
        }
    }

    public CartResult View(string caller)
    {
        lock (_gate)
        {
            return new(CartOf(Visit(caller)));
        }
    }

    public OrderResult Checkout(string caller, string? note)
    {
        lock (_gate)
        {
            var shopper = Visit(caller);
            if (shopper.Lines.Count == 0)
            {
                throw new McpException("The cart is empty. Add something with add_to_cart first.");
            }

            var payment = shopper.Payments.FirstOrDefault()?.Label ?? "On delivery, because there is no payment method";
            var order = new Order(NewId("order"), time.GetUtcNow(), payment, CartOf(shopper), note);
            shopper.Lines = [];
            return new(order);
        }
    }

    public PaymentMethodResult AddPayment(string caller, PaymentType type)
    {
        var label = type switch
        {
            PaymentType.CreditCard => "Sandbox credit card •••• 4242",
            PaymentType.DebitCard => "Sandbox debit card •••• 5556",
            PaymentType.BankAccount => "Sandbox bank account •••• 6789",
            _ => "Sandbox PayPal c••••@example.com",
        };
        lock (_gate)
        {
            var payments = Visit(caller).Payments;
            if (payments.Count == MaxPaymentMethods)
            {
                throw new McpException($"A customer can have {MaxPaymentMethods} payment methods, and these are there already.");
            }

            payments.Add(new(NewId("pm"), type, label, IsDefault: payments.Count == 0));
            return new(payments[^1]);
        }
    }

    // Finds the caller's cart or opens one. When there are too many, the one that was idle longest goes.
    private Shopper Visit(string caller)
    {
        if (_shoppers.TryGetValue(caller, out var node))
        {
            _byLastVisit.Remove(node);
        }
        else
        {
            if (_shoppers.Count == MaxShoppers)
            {
                _shoppers.Remove(_byLastVisit.First!.Value.Name);
                _byLastVisit.RemoveFirst();
            }

            _shoppers[caller] = node = new(new(caller));
        }

        _byLastVisit.AddLast(node);
        return node.Value;
    }

    private static Cart CartOf(Shopper shopper) =>
        new(shopper.Lines, shopper.Lines.Sum(line => line.Quantity), shopper.Lines.Sum(line => line.LineTotal));

    private static string NewId(string kind) => $"{kind}_{RandomNumberGenerator.GetHexString(24, lowercase: true)}";

    private sealed class Shopper(string name)
    {
        public string Name => name;

        // Replaced, never changed: carts and orders that were handed out keep their lines.
        public IReadOnlyList<CartLine> Lines { get; set; } = [];

        public List<PaymentMethod> Payments { get; } = [];
    }
}
