using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Shop;

/// <summary>The shop: products, the cart of the caller, and orders.</summary>
[McpServerToolType, McpServerPromptType, McpServerResourceType]
internal sealed partial class ShopTools(ShopClient shop)
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
        "Search the product catalog by name, category or code. Returns code, price, stock and current deal of each"
            + " product; add_to_cart takes the code. To list only what is cheaper now, use get_deals."
    )]
    public ValueTask<SearchResult> SearchProducts(
        [
            Description("Words of the name, a category, or a code; every word must match. For example `milk`."),
            StringLength(200, MinimumLength = 1)
        ]
            string query,
        [Description("Only products of this category. Omit it for all. For example `dairy`.")] string? category = null,
        [Description("Number of products to return, 1 to 50."), Range(1, 50)] int limit = 10,
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
    [Description(
        "Add a product to the customer's cart, on top of what is in it. Returns the cart. Find the code with"
            + " search_products; to see the cart without a change, use view_cart."
    )]
    public ValueTask<CartResult> AddToCart(
        [
            Description("Code of the product, from search_products or get_deals. For example `milk-001`."),
            StringLength(64, MinimumLength = 1)
        ]
            string productCode,
        [Description("Number of pieces to add, 1 to 99."), Range(1, 99)] int quantity = 1,
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
    [Description(
        "Show the customer's cart. Returns each line with its price, and the total to pay. It changes"
            + " nothing; to order, use checkout."
    )]
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
        "Order everything in the cart, charge the default payment method and empty the cart. Returns the"
            + " order. It cannot be undone: show the customer view_cart, or call with dry_run, and ask first."
    )]
    public ValueTask<OrderResult> Checkout(
        [
            Description(
                "What the customer agreed to, as a note on the order; it does not change what is ordered."
                    + " For example `2 items, total $8.38`."
            ),
            StringLength(500)
        ]
            string? cartSummary = null,
        [Description("true only returns what would be ordered, and orders nothing.")] bool dry_run = false,
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
        "Add a payment method for the customer; the first one becomes the default. Returns the masked payment method."
            + " Never ask for card or account numbers: this tool does not take them."
    )]
    public ValueTask<PaymentMethodResult> AddPaymentMethod(
        [Description("Kind of the payment method. For example `credit_card`.")] PaymentType type,
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
        "List the products that are cheaper right now. Returns regular price, deal price and validity of each. The cart"
            + " charges the deal price by itself. For other products, use search_products."
    )]
    public ValueTask<DealsResult> GetDeals(
        [Description("Only deals of this category. Omit it for all. For example `produce`.")] string? category = null,
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
    [Description("Fill the cart for an occasion, deals first, and stop before the order.")]
    public static string PlanShopping(
        [Description("What the shopping is for. For example `breakfast for four`.")] string occasion,
        [Description("Only products of this category.")]
        [AllowedValues("produce", "dairy", "bakery", "pantry", "beverages")]
            string? category = null
    ) =>
        $"""
            Plan the shopping for: {occasion}.
            {(category is null ? "Use every category." : $"Stay within the category {category}.")}
            Look at get_deals and search_products, add what is needed with add_to_cart,
            then show me view_cart with the total. Do not check out before I say so.
            """;

    private static string Caller(ClaimsPrincipal? user) =>
        (user?.FindFirst(ClaimTypes.NameIdentifier) ?? user?.FindFirst("sub"))?.Value ?? "local";
}
