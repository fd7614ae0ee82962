using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// A provider in this process, which publishes what a test says, counts who asks, and breaks on request.
/// </summary>
internal class FakeProvider : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, int> _asked = new();

    protected FakeProvider(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", $"http://127.0.0.1:{port}"]);
        builder.Logging.ClearProviders();
        App = builder.Build();
        App.Use(
            (http, next) =>
            {
                _asked.AddOrUpdate(http.Request.Path, 1, (_, count) => count + 1);
                return next(http);
            }
        );
        Map("/.well-known/openid-configuration", () => Metadata(Issuer));
    }

    public string Url => App.Urls.Single();

    /// <summary>What it calls itself.</summary>
    public string Issuer
    {
        get => field ?? Url;
        set;
    }

    public List<TestKey> Keys { get; } = [];

    /// <summary>Entra's keys do not say what they are for.</summary>
    public bool KeysSayAlgorithm { get; set; } = true;

    /// <summary>Answers for the keys instead, when set.</summary>
    public RequestDelegate? Broken { get; set; }

    protected WebApplication App { get; }

    public static async Task<FakeProvider> StartAsync(int port = 0, params TestKey[] keys)
    {
        var provider = new FakeProvider(port);
        provider.Keys.AddRange(keys);
        await provider.ListenAsync();
        return provider;
    }

    public int Asked(string path = "/jwks") => _asked.GetValueOrDefault(path);

    public JsonObject Metadata(string issuer, string path = "") =>
        new()
        {
            ["issuer"] = issuer,
            ["authorization_endpoint"] = $"{Url}{path}/authorize",
            ["token_endpoint"] = $"{Url}{path}/token",
            ["jwks_uri"] = $"{Url}/jwks",
            ["response_types_supported"] = new JsonArray("code"),
            ["subject_types_supported"] = new JsonArray("pairwise"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
            ["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post", "client_secret_basic"),
        };

    public ValueTask DisposeAsync() => App.DisposeAsync();

    protected void Map(string path, Func<JsonNode> answer) =>
        App.MapGet(path, http => http.Response.WriteAsJsonAsync(answer(), http.RequestAborted));

    /// <summary>Maps what is common, and listens.</summary>
    protected Task ListenAsync()
    {
        App.MapGet("/jwks", http =>
            Broken is { } broken
                ? broken(http)
                : http.Response.WriteAsJsonAsync(new JsonObject { ["keys"] = new JsonArray([.. Keys.Select(Publish)]) })
        );
        return App.StartAsync();
    }

    private JsonObject Publish(TestKey key)
    {
        var jwk = key.Public;
        if (!KeysSayAlgorithm)
        {
            jwk.Remove("alg");
        }

        return jwk;
    }
}
