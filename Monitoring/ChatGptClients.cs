using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>
/// Tells ChatGPT from other clients, for display: by the name that it sends, or by where its OAuth client redirects.
/// </summary>
internal sealed class ChatGptClients(IOptions<AuthorizationServerOptions> options, Store store)
{
    private const int MaxKnown = 1_000;

    private static readonly string[] Hosts = ["chatgpt.com", "chat.openai.com", "openai.com"];

    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);

    /// <param name="name">What the MCP client calls itself.</param>
    /// <param name="client">The OAuth client.</param>
    public async ValueTask<bool> IsAsync(string? name, string? client, CancellationToken cancellationToken)
    {
        if (
            name is not null
            && (
                name.StartsWith("openai", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("chatgpt", StringComparison.OrdinalIgnoreCase)
            )
        )
        {
            return true;
        }

        if (client is null)
        {
            return false;
        }

        if (_known.TryGetValue(client, out var known))
        {
            return known;
        }

        if (_known.Count >= MaxKnown)
        {
            _known.Clear();
        }

        return _known[client] = await RedirectsToChatGptAsync(client, cancellationToken);
    }

    // A client whose id is the address of its metadata document is at that host; the document is not fetched for this.
    private async Task<bool> RedirectsToChatGptAsync(string client, CancellationToken cancellationToken)
    {
        if (IsChatGpt(client))
        {
            return true;
        }

        if (options.Value.StaticClients.FirstOrDefault(entered => entered.Key == client).Value is { } known)
        {
            return known.Redirects.Any(IsChatGpt);
        }

        return await store.FindClientAsync(client, cancellationToken) is { } stored
            && JsonElement.Parse(stored.Metadata).TryGetProperty("redirect_uris", out var addresses)
            && addresses.ValueKind is JsonValueKind.Array
            && addresses.EnumerateArray().Any(address => IsChatGpt($"{address}"));
    }

    private static bool IsChatGpt(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && Hosts.Any(host =>
            uri.Host.Equals(host, StringComparison.OrdinalIgnoreCase)
            || uri.Host.EndsWith("." + host, StringComparison.OrdinalIgnoreCase)
        );
}
