using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Shop;

internal sealed class ShopParity : FamilyCalls
{
    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("search_products", "{}", FailureKind.Arguments),
        ("search_products", """{"query":"milk","colour":"red"}""", FailureKind.Arguments),
        ("search_products", """{"query":{}}""", FailureKind.Arguments),
        ("search_products", """{"query":"milk","limit":51}""", FailureKind.Arguments),
        ("search_products", """{"query":"milk","limit":"many"}""", FailureKind.Arguments),
        ("search_products", """{"query":"milk","category":"shoes"}""", FailureKind.Tool),
        ("add_payment_method", """{"type":"cash"}""", FailureKind.Arguments),
        ("add_to_cart", """{"productCode":"nothing-like-it"}""", FailureKind.Tool),
        ("add_to_cart", """{"productCode":"raspberries"}""", FailureKind.Tool),
        ("checkout", "{}", FailureKind.Tool),
        ("search_products", """{"query":"milk","limit":1}""", null),
        ("add_to_cart", """{"productCode":"milk-001","quantity":2}""", null),
        ("view_cart", "{}", null),
        ("add_payment_method", """{"type":"credit_card"}""", null),
        ("get_deals", """{"category":"dairy"}""", null),
        ("checkout", "{}", null),
    ];
}
