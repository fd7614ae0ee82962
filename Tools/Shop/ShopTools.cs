using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Shop;

[McpServerToolType, McpServerPromptType, McpServerResourceType]
public sealed partial class ShopTools(ShopClient shop)
{
    [McpServerTool(
        Name = "search_products",
        Title = "Search products",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Finds products by name, category or code, with price, stock and current deal. Start here: add_to_cart needs the productCode that this returns."
    )]
    public ValueTask<SearchResult> SearchProducts(
        [
            Description("What to look for, for example \"milk\". Every word must match."),
            StringLength(200, MinimumLength = 1)
        ]
            string query,
        [Description("Search only this category, for example \"dairy\". Leave out to search all.")]
            string? category = null,
        [Description("At most this many products."), Range(1, 50)] int limit = 10,
        CancellationToken ct = default
    ) => shop.SearchAsync(query, category, limit, ct);

    [McpServerTool(
        Name = "add_to_cart",
        Title = "Add to cart",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Puts a product into the customer's cart, on top of what is already there, and returns the cart.")]
    public ValueTask<CartResult> AddToCart(
        [
            Description("The product's code from search_products or get_deals, for example \"milk-001\"."),
            StringLength(64, MinimumLength = 1)
        ]
            string productCode,
        [Description("How many to add."), Range(1, 99)] int quantity = 1,
        ClaimsPrincipal? user = null,
        CancellationToken ct = default
    ) => shop.AddAsync(Caller(user), productCode, quantity, ct);

    [McpServerTool(
        Name = "view_cart",
        Title = "View cart",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Shows what is in the customer's cart: each line with its price, and the total to pay.")]
    public ValueTask<CartResult> ViewCart(ClaimsPrincipal? user = null, CancellationToken ct = default) =>
        shop.ViewAsync(Caller(user), ct);

    [McpServerTool(
        Name = "checkout",
        Title = "Check out",
        ReadOnly = false,
        Destructive = true,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Orders everything in the cart, charges the default payment method and empties the cart. It cannot be undone, so show the customer view_cart and ask first."
    )]
    public ValueTask<OrderResult> Checkout(
        [
            Description(
                "What the customer agreed to, for example \"2 items, total $8.38\". A note on the order; it does not change what is ordered."
            ),
            StringLength(500)
        ]
            string? cartSummary = null,
        [Description("true only shows what would be ordered, and orders nothing.")] bool dry_run = false,
        ClaimsPrincipal? user = null,
        CancellationToken ct = default
    ) => shop.CheckoutAsync(Caller(user), cartSummary, dry_run, ct);

    [McpServerTool(
        Name = "add_payment_method",
        Title = "Add payment method",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "HIGH")]
    [Description(
        "Gives the customer a new way to pay; the first one becomes the default. Never ask for card or account numbers: this tool does not take them."
    )]
    public ValueTask<PaymentMethodResult> AddPaymentMethod(
        [Description("The kind of payment method.")] PaymentType type,
        ClaimsPrincipal? user = null,
        CancellationToken ct = default
    ) => shop.AddPaymentAsync(Caller(user), type, ct);

    [McpServerTool(
        Name = "get_deals",
        Title = "Get deals",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists the products that are cheaper right now, with old price, deal price and how long it holds. The cart charges the deal price by itself."
    )]
    public ValueTask<DealsResult> GetDeals(
        [Description("Only deals in this category, for example \"produce\". Leave out for all.")]
            string? category = null,
        CancellationToken ct = default
    ) => shop.DealsAsync(category, ct);

    [McpServerResource(
        UriTemplate = "shop://catalog",
        Name = "catalog",
        Title = "Product catalogue",
        MimeType = "application/json"
    )]
    [Description("Every product of the shop with its code, category, price, stock and deal.")]
    public ValueTask<string> Catalog(CancellationToken ct) => shop.CatalogAsync(ct);

    [McpServerPrompt(Name = "plan_shopping", Title = "Plan a shopping trip")]
    [Description("Fills the cart for an occasion, deals first, and stops before the order.")]
    public static string PlanShopping(
        [Description("What the shopping is for, for example \"breakfast for four\".")] string occasion,
        [Description("Stay within this category.")]
        [AllowedValues("produce", "dairy", "bakery", "pantry", "beverages")]
            string? category = null
    ) =>
        $"""
            Plan the shopping for: {occasion}.
            {(category is null ? "Use every category." : $"Stay within the category {category}.")}
            Look at get_deals and search_products, put what is needed into the cart with add_to_cart,
            then show me view_cart with the total. Do not check out before I say so.
            """;

    private static string Caller(ClaimsPrincipal? user) =>
        (user?.FindFirst(ClaimTypes.NameIdentifier) ?? user?.FindFirst("sub"))?.Value ?? "local";
}
