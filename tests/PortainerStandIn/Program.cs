using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;
using MinimalMcp.PortainerStandIn;

// The part of Portainer CE 2.23's HTTP API that container tools need, in front of the real Docker: authentication,
// errors, environments, stacks, and the Docker proxy, as recorded from a real one. It runs as a container where
// Portainer's image cannot be pulled. It proves neither Portainer's access rules nor its certificates.
const string Socket = "/var/run/docker.sock";

var key = Environment.GetEnvironmentVariable("STAND_IN_KEY")
    ?? throw new InvalidOperationException("STAND_IN_KEY is missing.");
var label = (Environment.GetEnvironmentVariable("STAND_IN_LABEL") ?? "stand-in=1").Split('=');
using var docker = new HttpMessageInvoker(
    new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectCallback = async (_, ct) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), ct);
            return new NetworkStream(socket, ownsSocket: true);
        },
    }
);

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://0.0.0.0:9000");
var app = builder.Build();
app.Use(AuthenticateAsync);
app.MapGet("/api/system/status", () =>
    Answers.Json(
        new JsonObject { ["Version"] = Answers.Version, ["InstanceID"] = "299ab403-70a8-4c05-92f7-bf7a994d50df" }
    )
);
app.MapGet("/api/endpoints", (HttpContext http) =>
{
    http.Response.Headers["X-Total-Count"] = http.Response.Headers["X-Total-Available"] = "1";
    return Answers.Json(new JsonArray(Local()));
});
app.MapGet("/api/endpoints/{id}", (string id) =>
    id == $"{Answers.Environment}" ? Answers.Json(Local()) : NoEnvironment(id)
);
app.Map("/api/endpoints/{id}/docker/{**path}", (HttpContext http, string id) =>
    id == $"{Answers.Environment}" ? PassOnAsync(http) : NoEnvironment(id).ExecuteAsync(http)
);
new Stacks(docker, label[0], label[1]).MapTo(app);
app.Run();

Task AuthenticateAsync(HttpContext http, RequestDelegate next)
{
    var (sent, bearer) = (http.Request.Headers["X-API-Key"].ToString(), http.Request.Headers.Authorization.ToString());
    const string Both = "api key and auth header are not allowed at the same time";
    var refusal =
        http.Request.Path == "/api/system/status" ? null
        : sent.Length > 0 && bearer.Length > 0 ? Answers.Error(403, Both, Both)
        // A cookie turns its check of forged requests on.
        : http.Request.Headers.ContainsKey("Cookie") ? Answers.Error(403, "origin invalid", "Origin invalid")
        : sent.Length + bearer.Length == 0
            ? Answers.Error(401, "A valid authorization token is missing", "Unauthorized")
        : sent != key ? Answers.Error(401, "Invalid JWT token", "Unauthorized")
        : null;
    return refusal?.ExecuteAsync(http) ?? next(http);
}

static JsonObject Local() =>
    new()
    {
        ["Id"] = Answers.Environment,
        ["Name"] = "local",
        ["Type"] = 1,
        ["ContainerEngine"] = "docker",
        ["URL"] = "unix:///var/run/docker.sock",
        ["GroupId"] = 1,
        ["PublicURL"] = "",
        ["TagIds"] = new JsonArray(),
        ["Gpus"] = new JsonArray(),
        ["TLSConfig"] = new JsonObject { ["TLS"] = false, ["TLSSkipVerify"] = false },
        ["Status"] = 1,
        ["Snapshots"] = new JsonArray(),
        ["UserAccessPolicies"] = new JsonObject(),
        ["TeamAccessPolicies"] = new JsonObject(),
        ["EdgeKey"] = "edge-key-that-nobody-may-see",
        ["EdgeCheckinInterval"] = 5,
        ["ComposeSyntaxMaxVersion"] = "3.9",
        ["LastCheckInDate"] = 0,
        ["QueryDate"] = 0,
        ["Heartbeat"] = false,
        ["Agent"] = new JsonObject { ["Version"] = "" },
        ["AuthorizedUsers"] = null,
        ["Tags"] = null,
    };

static IResult NoEnvironment(string id) =>
    Answers.Error(
        404,
        "Unable to find an environment with the specified identifier inside the database",
        $"Object not found inside the database (bucket=endpoints, key={id})"
    );

async Task PassOnAsync(HttpContext http)
{
    var raw = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget; // routing would decode %2F
    var rest = raw[(raw.IndexOf("/docker/", StringComparison.Ordinal) + "/docker/".Length)..];
    using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), new Uri("http://docker/" + rest));
    if (http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0)
    {
        request.Content = new StreamContent(http.Request.Body);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
    }

    HttpResponseMessage response;
    try
    {
        response = await docker.SendAsync(request, http.RequestAborted);
    }
    catch (HttpRequestException gone)
    {
        await Answers.Error(500, "Unable to proxy the request via the Docker socket", gone.Message).ExecuteAsync(http);
        return;
    }

    using (response)
    {
        // It adds a resource control to what is created, and answers 200 where Docker says 201.
        var isCreated =
            (int)response.StatusCode == 201 && http.Request.Path.Value!.EndsWith("/create", StringComparison.Ordinal);
        http.Response.StatusCode = isCreated ? 200 : (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            if (name is not ("Transfer-Encoding" or "Connection"))
            {
                http.Response.Headers[name] = values.ToArray();
            }
        }

        if ((int)response.StatusCode is not (204 or 304))
        {
            await response.Content.CopyToAsync(http.Response.Body, http.RequestAborted);
        }
    }
}

internal sealed partial class Program;
