using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Tools;

/// <summary>
/// An outside system, on a real socket: keeps what it was asked, and answers what the test says or what was recorded.
/// </summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Dictionary<string, string> _recorded;

    private Upstream(WebApplication app, Dictionary<string, string> recorded) => (_app, _recorded) = (app, recorded);

    public ConcurrentQueue<Question> Asked { get; } = [];

    public int Status { get; set; } = 200;

    /// <summary>The answer to every question that has no recorded one.</summary>
    public string? Answer { get; set; }

    /// <summary>Answers instead, with a status and a body, when it has an answer.</summary>
    public Func<Question, (int Status, string Body)?>? Handle { get; set; }

    /// <summary>The status by method, in place of <see cref="Status"/>.</summary>
    public Func<string, int>? StatusOf { get; set; }

    public string ContentType { get; set; } = "application/json";

    /// <summary>A system that keeps its own rules answers instead of the recorded answers.</summary>
    public Func<HttpContext, Question, Task>? Serve { get; set; }

    public string Url => _app.Urls.Single();

    /// <param name="recorded">
    /// A JSON file beside the test: a question such as "GET /items?limit=1", or "GET /items" for any query, and the
    /// answer. Any other question is 404.
    /// </param>
    /// <param name="test">The caller's own file.</param>
    /// <param name="certificate">It answers over https with it.</param>
    public static async Task<Upstream> StartAsync(
        string? recorded = null,
        [CallerFilePath] string test = "",
        X509Certificate2? certificate = null
    )
    {
        var answers = recorded is null
            ? []
            : JsonElement
                .Parse(await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(test)!, recorded)))
                .EnumerateObject()
                .ToDictionary(answer => answer.Name, answer => answer.Value.GetRawText());
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", $"http{(certificate is null ? "" : "s")}://127.0.0.1:0");
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate)
        );
        var app = builder.Build();
        var upstream = new Upstream(app, answers);
        app.Run(async http =>
        {
            using var bytes = new MemoryStream();
            await http.Request.Body.CopyToAsync(bytes, http.RequestAborted);
            using var reader = new StreamReader(new MemoryStream(bytes.ToArray()));
            var line = $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}";
            var question = new Question(
                line,
                await reader.ReadToEndAsync(http.RequestAborted),
                http.Request.Headers.ToDictionary(
                    header => header.Key,
                    header => header.Value.ToString(),
                    StringComparer.OrdinalIgnoreCase
                )
            )
            {
                Bytes = bytes.ToArray(),
            };
            upstream.Asked.Enqueue(question);
            if (upstream.Serve is { } serve)
            {
                await serve(http, question);
                return;
            }

            http.Response.ContentType = upstream.ContentType;
            if (upstream.Handle?.Invoke(question) is { } handled)
            {
                http.Response.StatusCode = handled.Status;
                await http.Response.WriteAsync(handled.Body, http.RequestAborted);
                return;
            }

            var answer = upstream._recorded.GetValueOrDefault(line)
                ?? upstream._recorded.GetValueOrDefault($"{http.Request.Method} {http.Request.Path}")
                ?? upstream.Answer;
            http.Response.StatusCode = answer is null
                ? 404
                : upstream.StatusOf?.Invoke(http.Request.Method) ?? upstream.Status;
            http.Response.Headers.Location = "/elsewhere";
            await http.Response.WriteAsync(
                answer ?? $$"""{"error":"no answer was recorded for {{line}}"}""",
                http.RequestAborted
            );
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return upstream;
    }

    /// <summary>
    /// Answers "[]" with a certificate that nobody signed: the tool works with its fingerprint or "any" as the setting,
    /// and otherwise nothing is sent and the error names the setting.
    /// </summary>
    public static async Task CheckCertificateAsync(string family, string tool)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=upstream", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        await using var upstream = await StartAsync(certificate: certificate);
        upstream.Answer = "[]";
        var digits = certificate.GetCertHashString(HashAlgorithmName.SHA256).Chunk(2).Select(two => new string(two));
        foreach (
            var (setting, isAccepted) in ((string, bool)[])
                [("", false), (new string('a', 64), false), (string.Join(':', digits), true), ("any", true)]
        )
        {
            await using var server = TestServer.Start(
                ($"{family}:Url", upstream.Url),
                ($"{family}:Token", "secret"),
                ($"{family}:Certificate", setting)
            );
            if (isAccepted)
            {
                await server.CallAsync(tool);
            }
            else
            {
                Assert.Contains("certificate", await server.FailAsync(502, tool));
                Assert.Empty(upstream.Asked);
            }
        }
    }

    /// <summary>From now on <see cref="Answer"/> is the answer to every question.</summary>
    public void ForgetRecorded() => _recorded = [];

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    internal sealed record Question(string Line, string Body, IReadOnlyDictionary<string, string> Headers)
    {
        public byte[] Bytes { get; init; } = [];

        public JsonElement Json => JsonElement.Parse(Body);
    }
}
