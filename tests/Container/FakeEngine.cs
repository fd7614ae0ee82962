using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Container;

/// <summary>
/// An engine, and a Portainer before it, on loopback: gives recorded answers of both, or whatever a test says instead.
/// Keeps what it was asked, and refuses what is not in the APIs. For what a real engine cannot be made to do;
/// everything else is asked of a real one.
/// </summary>
internal sealed class FakeEngine : IAsyncDisposable
{
    public const string Key = "ptr_of-the-fake-0123456789";

    private readonly WebApplication _app;
    private readonly Dictionary<string, string> _answers = System
        .Text.Json.JsonElement.Parse(
            File.ReadAllText(Path.Combine(ClientProcess.Root, "tests", "Container", "answers.json"))
        )
        .EnumerateObject()
        .ToDictionary(answer => answer.Name, answer => answer.Value.GetRawText());

    private FakeEngine(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    /// <summary>Method, path and query of each request, without the prefix that leads to the engine.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    public ConcurrentQueue<string> Bodies { get; } = [];

    public ConcurrentQueue<string> Violations { get; } = [];

    /// <summary>Headers of the last request.</summary>
    public IHeaderDictionary? Headers { get; private set; }

    public string ApiVersion { get; set; } = "1.41";

    /// <summary>The API version of the last request; empty where the path has none.</summary>
    public string Spoken { get; private set; } = "";

    /// <summary>The answer to a request such as "GET containers/json", whatever its query.</summary>
    public Dictionary<string, Answer> Answers { get; } = [];

    /// <summary>The answer to everything but the negotiation of the version.</summary>
    public Answer? Always { get; set; }

    /// <summary>What another request is answered with once the first one has come.</summary>
    public Dictionary<string, (string Request, Answer Answer)> After { get; } = [];

    /// <summary>Environments of Portainer whose Docker does not answer.</summary>
    public HashSet<string> Down { get; } = [];

    /// <param name="certificate">With one it serves https.</param>
    public static async Task<FakeEngine> StartAsync(X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var fake = new FakeEngine(builder.Build());
        fake._app.Run(fake.AnswerAsync);
        await fake._app.StartAsync(TestContext.Current.CancellationToken);
        return fake;
    }

    /// <summary>A log as the engine frames it: 1 is stdout, 2 stderr.</summary>
    public static byte[] Frames(params (byte Stream, byte[] Bytes)[] frames) =>
        [
            .. frames.SelectMany(frame =>
                (byte[])
                    [
                        frame.Stream,
                        0,
                        0,
                        0,
                        (byte)(frame.Bytes.Length >> 24),
                        (byte)(frame.Bytes.Length >> 16),
                        (byte)(frame.Bytes.Length >> 8),
                        (byte)frame.Bytes.Length,
                        .. frame.Bytes,
                    ]
            ),
        ];

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        Headers = new HeaderDictionary(http.Request.Headers.ToDictionary());
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        var path = http.Request.Path.Value!.TrimStart('/');
        var ofPortainer = path.StartsWith("api/", StringComparison.Ordinal);
        var isDown = false;
        if (ofPortainer && path.Split('/') is ["api", "endpoints", var environment, "docker", .. var rest])
        {
            (path, ofPortainer, isDown) = (string.Join('/', rest), false, Down.Contains(environment));
        }
        else if (path.StartsWith("v1.", StringComparison.Ordinal))
        {
            (Spoken, path) = (path.Split('/')[0], path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        }

        if (path == "_ping")
        {
            http.Response.Headers["Api-Version"] = ApiVersion;
            await http.Response.WriteAsync("OK", http.RequestAborted);
            return;
        }

        Asked.Enqueue($"{http.Request.Method} {path}{http.Request.QueryString}");
        if (body.Length > 0)
        {
            Bodies.Enqueue(body);
        }

        if (EngineContract.Violation(http.Request, path, body, ofPortainer) is { } violation)
        {
            Violations.Enqueue(violation);
        }

        var line = $"{http.Request.Method} {path}";
        if (After.TryGetValue(line, out var after))
        {
            Answers[after.Request] = after.Answer;
        }

        var answer = Always
            ?? (isDown ? new Answer(502, "", []) : null) // Portainer's recorded answer has no body
            ?? Answers.GetValueOrDefault(line)
            ?? (
                line.EndsWith("/logs", StringComparison.Ordinal)
                    ? new Answer(200, "", Frames((1, "listening\n"u8.ToArray()), (2, "a warning\n"u8.ToArray())))
                    : null
            )
            ?? (
                _answers.TryGetValue(line, out var recorded)
                    ? recorded == "null"
                        ? new Answer(204, "", [])
                        : new Answer(200, recorded)
                    : null
            )
            ?? new Answer(404, NotFound(path));
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = answer.Type.Length > 0 ? answer.Type : null;
        if (answer.Status is not (204 or 304))
        {
            await http.Response.Body.WriteAsync(answer.Body, http.RequestAborted);
        }
    }

    private static string NotFound(string path) =>
        path.Split('/') switch
        {
            ["containers", var name, ..] => $$"""{"message":"No such container: {{name}}"}""",
            ["images", .. var name, "json"] => $$"""{"message":"No such image: {{string.Join('/', name)}}"}""",
            ["api", "stacks", ..] => """
                {
                  "message": "Unable to find a stack with the specified identifier inside the database",
                  "details": "Object not found inside the database"
                }
                """,
            _ => """{"message":"page not found"}""",
        };

    internal sealed record Answer(int Status, string Type, byte[] Body)
    {
        public Answer(int status, string json)
            : this(status, "application/json", Encoding.UTF8.GetBytes(json)) { }
    }
}
