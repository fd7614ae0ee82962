namespace MinimalMcp.ChatGpt;

/// <summary>
/// The documents that ChatGPT publishes of its clients: one for all connections, one for each, and the keys beside
/// them.
/// </summary>
internal sealed class ClientDocuments : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ClientDocuments(WebApplication app, string origin) => (_app, Origin) = (app, origin);

    public string Origin { get; }

    public string Stable => Origin + "/oauth/client.json";

    public string PerCallback => Origin + "/oauth/cb-0123456789/client.json";

    public ClientKey Key { get; } = new();

    public static async Task<ClientDocuments> StartAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        var documents = new ClientDocuments(app, $"http://127.0.0.1:{port}");
        app.MapGet("/oauth/client.json", () => documents.Document(documents.Stable, Client.StableRedirect));
        app.MapGet("/oauth/cb-0123456789/client.json", () =>
            documents.Document(documents.PerCallback, Client.CallbackRedirect)
        );
        app.MapGet("/oauth/lies/client.json", () => documents.Document(documents.Stable, Client.StableRedirect));
        app.MapGet("/oauth/jwks.json", () => new { keys = new[] { documents.Key.PublicKey } });
        await app.StartAsync();
        return documents;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Key.Dispose();
    }

    // Both the list and the older single value are in ChatGPT's documents, and they do not say the same.
    private Dictionary<string, object> Document(string id, string redirect) =>
        new()
        {
            ["client_id"] = id,
            ["client_name"] = "ChatGPT",
            ["client_uri"] = Origin,
            ["redirect_uris"] = new[] { redirect },
            ["grant_types"] = new[] { "authorization_code", "refresh_token" },
            ["response_types"] = new[] { "code" },
            ["token_endpoint_auth_methods_supported"] = new[] { "none", "private_key_jwt" },
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["token_endpoint_auth_signing_alg"] = "RS256",
            ["jwks_uri"] = Origin + "/oauth/jwks.json",
        };
}
