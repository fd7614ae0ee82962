using System.Text.Json;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Shop;

/// <summary>The products as documents, for a client that searches all systems at once (search and fetch).</summary>
internal sealed partial class ShopTools
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
        (await DocumentsAsync(ct)).FirstOrDefault(product =>
            product.Id.Equals(shop.CodeOf(id), StringComparison.OrdinalIgnoreCase)
        );

    // The server of a shop calls the code id, and may have no other name for a product.
    private async Task<IEnumerable<ProductDocument>> DocumentsAsync(CancellationToken ct)
    {
        var catalog = JsonElement.Parse(await shop.CatalogAsync(ct));
        return !catalog.TryGetProperty("products", out var products) || products.ValueKind is not JsonValueKind.Array
            ? []
            : from product in products.EnumerateArray()
            let id = Text(product, "productCode") ?? Text(product, "id")
            where id is not null
            let name = Text(product, "name") ?? id
            select new ProductDocument(id, name, $"# {name}\n\n{Lines(product)}", shop.PageOf(id));
    }

    // One line for each member, whatever the shop calls it: "price: 4.19".
    private static string Lines(JsonElement product, string indent = "") =>
        product.ValueKind is not JsonValueKind.Object
            ? $"{product}"
            : string.Concat(
                product
                    .EnumerateObject()
                    .Where(member => member.Value.ValueKind is not JsonValueKind.Null)
                    .Select(member =>
                        member.Value.ValueKind is JsonValueKind.Object
                            ? $"{indent}- {member.Name}:\n{Lines(member.Value, indent + "  ")}"
                            : $"{indent}- {member.Name}: {member.Value}\n"
                    )
            );

    private static string? Text(JsonElement product, string name) =>
        product.ValueKind is JsonValueKind.Object
        && product.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;
}

internal sealed record ProductDocument(string Id, string Title, string Text, string Url);
