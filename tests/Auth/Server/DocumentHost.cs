using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>A web site on this machine that keeps documents of clients, each as a test wants it served.</summary>
internal sealed class DocumentHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, (byte[] Body, Action<HttpResponse>? Head)> _documents = new();
    private int _count;

    private DocumentHost(WebApplication app)
    {
        _app = app;
        app.MapGet("/{**path}", async (HttpContext http) =>
        {
            Interlocked.Increment(ref _fetches);
            var (body, head) = _documents.GetValueOrDefault(http.Request.Path, ([], answer => answer.StatusCode = 404));
            http.Response.ContentType = "application/json";
            head?.Invoke(http.Response);
            if (http.Response.StatusCode != 204)
            {
                await http.Response.Body.WriteAsync(body);
            }
        });
    }

    private int _fetches;

    public int Fetches => _fetches;

    public string Url { get; private set; } = "";

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static async Task<DocumentHost> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var host = new DocumentHost(builder.Build());
        await host._app.StartAsync();
        host.Url = host._app.Urls.Single();
        host.Put("/keys", Encoding.UTF8.GetBytes($$"""{"keys":[{{Jwt.PublicKey(host.Key, "k1")}}]}"""));
        return host;
    }

    public string NewAddress() => $"{Url}/clients/{Interlocked.Increment(ref _count)}.json";

    /// <summary>A good document; the caller may change it before it is put.</summary>
    public JsonObject Document(string address, string method = "none") =>
        new()
        {
            ["client_id"] = address,
            ["client_name"] = "A documented client",
            ["redirect_uris"] = new JsonArray(OAuthServer.ChatGpt, OAuthServer.Loopback),
            ["token_endpoint_auth_method"] = method,
            ["jwks_uri"] = Url + "/keys",
        };

    public void Put(string address, byte[] body, Action<HttpResponse>? head = null) =>
        _documents[address.Replace(Url, "", StringComparison.Ordinal)] = (body, head);

    public void Put(JsonObject document) =>
        Put((string)document["client_id"]!, Encoding.UTF8.GetBytes(document.ToJsonString()));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Key.Dispose();
    }
}
