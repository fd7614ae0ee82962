using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using MinimalMcp.Engine;

namespace MinimalMcp.Tests.EndToEnd;

/// <summary>
/// The part of Portainer CE 2.23's HTTP API that container tools need, before the real engine: its authentication, its errors, environments,
/// and requests passed on. It does not prove Portainer's own rules for teams, nor its certificates.
/// </summary>
internal sealed class PortainerStandIn : IAsyncDisposable
{
    public const string Version = "2.23.0";
    public const int Environment = 3; // as in a Portainer where the first ones are gone

    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _engine;

    private PortainerStandIn(WebApplication app, EngineAddress engine)
    {
        (_app, _engine) = (app, new(engine.CreateHandler()));
        _app.Use(AuthenticateAsync);
        _app.MapGet("/api/system/status", () => Json(new JsonObject { ["Version"] = Version, ["InstanceID"] = "299ab403-70a8-4c05-92f7-bf7a994d50df" }));
        _app.MapGet("/api/endpoints", (HttpContext http) =>
        {
            http.Response.Headers["X-Total-Count"] = http.Response.Headers["X-Total-Available"] = "1";
            return Json(new JsonArray(Local()));
        });
        _app.MapGet("/api/endpoints/{id}", (string id) => id == $"{Environment}" ? Json(Local()) : NoEnvironment());
        _app.Map("/api/endpoints/{id}/docker/{**path}", (HttpContext http, string id) => id == $"{Environment}" ? PassOnAsync(http, engine) : NoEnvironment().ExecuteAsync(http));
    }

    public Uri Url => new(_app.Urls.Single());

    /// <summary>Of this run alone.</summary>
    public string Key { get; } = "ptr_" + Guid.NewGuid().ToString("N");

    public static async Task<PortainerStandIn> StartAsync(EngineAddress engine, EngineClient client, string label, string run)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var portainer = new PortainerStandIn(builder.Build(), engine);
        new StackStandIn(client, label, run).MapTo(portainer._app);
        await portainer._app.StartAsync();
        return portainer;
    }

    public static IResult Error(int status, string message, string details) => Results.Json(new { message, details }, statusCode: status);

    public static IResult Json(JsonNode node) => Results.Text(node.ToJsonString(), "application/json");

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _engine.Dispose();
    }

    private Task AuthenticateAsync(HttpContext http, RequestDelegate next)
    {
        var (key, bearer) = (http.Request.Headers["X-API-Key"].ToString(), http.Request.Headers.Authorization.ToString());
        var refusal = http.Request.Path == "/api/system/status" ? null
            : key.Length > 0 && bearer.Length > 0 ? Error(403, "api key and auth header are not allowed at the same time", "Api key and auth header are not allowed at the same time")
            : http.Request.Headers.ContainsKey("Cookie") ? Error(403, "origin invalid", "Origin invalid") // a cookie turns its check of forged requests on
            : key.Length + bearer.Length == 0 ? Error(401, "A valid authorization token is missing", "Unauthorized")
            : key != Key ? Error(401, "Invalid JWT token", "Unauthorized")
            : null;
        return refusal?.ExecuteAsync(http) ?? next(http);
    }

    private static JsonObject Local() => new()
    {
        ["Id"] = Environment,
        ["Name"] = "local",
        ["Type"] = 1,
        ["ContainerEngine"] = "docker",
        ["URL"] = "unix:///var/run/docker.sock",
        ["GroupId"] = 1,
        ["PublicURL"] = "",
        ["TagIds"] = new JsonArray(),
        ["Status"] = 1,
        ["EdgeKey"] = "edge-key-that-nobody-may-see",
        ["Snapshots"] = new JsonArray(),
    };

    private static IResult NoEnvironment() => Error(404, "Unable to find an environment with the specified identifier inside the database", "Object not found inside the database");

    private async Task PassOnAsync(HttpContext http, EngineAddress engine)
    {
        var raw = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget; // routing would decode %2F
        using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), new Uri(engine.Url, raw[(raw.IndexOf("/docker/", StringComparison.Ordinal) + "/docker/".Length)..]));
        if (http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0)
        {
            request.Content = new StreamContent(http.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
        }

        HttpResponseMessage response;
        try
        {
            response = await _engine.SendAsync(request, http.RequestAborted);
        }
        catch (HttpRequestException gone)
        {
            await Error(500, "Unable to proxy the request via the Docker socket", gone.Message).ExecuteAsync(http);
            return;
        }

        using (response)
        {
            // It adds a resource control to what is created, and answers 200 where the engine says 201.
            http.Response.StatusCode = response.StatusCode is HttpStatusCode.Created && http.Request.Path.Value!.EndsWith("/create", StringComparison.Ordinal) ? 200 : (int)response.StatusCode;
            foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).Where(header => header.Key is not ("Transfer-Encoding" or "Connection")))
            {
                http.Response.Headers[name] = values.ToArray();
            }

            if (response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.NotModified))
            {
                await (await response.Content.ReadAsStreamAsync(http.RequestAborted)).CopyToAsync(http.Response.Body, http.RequestAborted);
            }
        }
    }
}
