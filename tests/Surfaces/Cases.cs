using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>Calls whose answers must be the same whichever way they come.</summary>
internal static class Cases
{
    /// <summary>One good call of every tool of the product: a new tool needs a line here.</summary>
    public static readonly (string Tool, string Arguments)[] Good =
    [
        ("search_products", """{"query":"milk","limit":1}"""),
        ("add_to_cart", """{"productCode":"milk-001","quantity":2}"""),
        ("view_cart", "{}"),
        ("add_payment_method", """{"type":"credit_card"}"""),
        ("get_deals", """{"category":"dairy"}"""),
        ("checkout", "{}"),
    ];

    /// <summary>Good calls of tools with results of other shapes.</summary>
    public static readonly (string Tool, string Arguments)[] Shapes =
    [
        ("echo", """{"text":"ü 🛒 \"\\ \n"}"""),
        ("echo", """{"text":"all","count":5,"flag":true,"ratio":1.5,"colour":"Green","tags":["a","b"],"point":{"x":1,"y":-2}}"""),
        ("echo", """{"text":"dressed","count":"5","flag":"true","ratio":"1.5","tags":"[\"a\"]","point":"{\"x\":1,\"y\":2}"}"""),
        ("echo", """{"text":"nulls","count":null,"flag":null,"colour":null,"tags":null,"point":null}"""),
        ("echo", """{"text":"whole","count":3.0}"""),
        ("say", "{}"),
        ("numbers", "{}"),
        ("nothing", "{}"),
        ("picture", "{}"),
        ("reports", "{}"),
    ];

    public static readonly (string Tool, string Arguments, FailureKind Kind)[] BadShop =
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
    ];

    public static readonly (string Tool, string Arguments, FailureKind Kind)[] Bad =
    [
        .. BadShop,
        ("echo", "{}", FailureKind.Arguments),
        ("echo", """{"text":null}""", FailureKind.Arguments),
        ("echo", """{"text":"","count":0,"flag":"perhaps","ratio":[],"colour":"Blue","tags":[1],"point":{"x":1},"else":1}""", FailureKind.Arguments),
        ("echo", """{"text":"x","Count":1}""", FailureKind.Arguments),
        ("echo", """{"text":"x","count":99999999999999999999}""", FailureKind.Arguments),
        ("echo", """{"text":"x","point":{"x":1.5,"y":0}}""", FailureKind.Arguments),
        ("fails", "{}", FailureKind.Tool),
        ("gives_up", "{}", FailureKind.Tool),
        ("missing", "{}", FailureKind.Tool),
        ("breaks", "{}", FailureKind.Unexpected),
        ("upstream", "{}", FailureKind.Upstream),
        ("upstream_slow", "{}", FailureKind.Upstream),
        ("slow", "{}", FailureKind.Deadline),
        ("deaf", "{}", FailureKind.Deadline),
    ];
}
