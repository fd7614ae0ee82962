using System.Text.Json;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Shop;

/// <summary>The products as documents, for a host that looks into all systems at once (search and fetch).</summary>
public sealed partial class ShopTools
{
    private const int MaxDocuments = 10;

    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "search_products")]
    public async Task<IReadOnlyList<ProductDocument>> SearchDocumentsAsync(string query, CancellationToken ct)
    {
        var words = query.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return
        [
            .. (await DocumentsAsync(ct))
                .Where(product => words.All(word => product.Text.Contains(word, StringComparison.OrdinalIgnoreCase)))
                .Take(MaxDocuments),
        ];
    }

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "search_products")]
    public async Task<ProductDocument?> FetchDocumentAsync(string id, CancellationToken ct) =>
        (await DocumentsAsync(ct)).FirstOrDefault(product => product.Id.Equals(id, StringComparison.OrdinalIgnoreCase));

    // A shop's own server calls the code id, and has no other name for a product.
    private async Task<IEnumerable<ProductDocument>> DocumentsAsync(CancellationToken ct)
    {
        var catalog = JsonElement.Parse(await shop.CatalogAsync(ct));
        return !catalog.TryGetProperty("products", out var products) || products.ValueKind is not JsonValueKind.Array
            ? []
            : from product in products.EnumerateArray()
            let id = Text(product, "productCode") ?? Text(product, "id")
            where id is not null
            select new ProductDocument(id, Text(product, "name") ?? id, product.GetRawText(), shop.PageOf(id));
    }

    private static string? Text(JsonElement product, string name) =>
        product.ValueKind is JsonValueKind.Object
        && product.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;
}

public sealed record ProductDocument(string Id, string Title, string Text, string Url);
