using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Protocol;

/// <summary>
/// A server with a heap of 256 MiB under strangers who make it hold as much as they can, one kind after the other, each
/// stranger from an address of its own. It survives and serves others meanwhile. scripts/hostile-load sends 10,000 of
/// each kind and writes the figures of docs/operate/security.md.
/// </summary>
[Slow]
public sealed class HostileLoadTests
{
    private const string Key = "hostile-load-Wq7Zr2Kx9Lm4Np6Tv8Yb1Cd3";
    private const int AtOnce = 16;

    private static readonly int Count = int.Parse(
        Environment.GetEnvironmentVariable("HOSTILE_LOAD") ?? "200",
        CultureInfo.InvariantCulture
    );

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Strangers_cannot_fill_the_memory_and_others_are_served_meanwhile()
    {
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        await using var server = ServerProcess.Start(
            [$"--urls={url}"],
            new Dictionary<string, string>
            {
                ["DOTNET_GCHeapHardLimit"] = "0x10000000",
                ["MCP_AUTH_MODE"] = "mixed",
                ["MCP_API_KEY"] = Key,
                ["Logging__LogLevel__Default"] = "Error",
            }
        );
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new(url),
            Timeout = Wait.Limit,
        };
        await ServerProcess.ReadyAsync(http, url);
        var client = await RegisterAsync(http);
        var figures = new StringBuilder(
            "| kind | sent | answers | others served | slowest of them | resident | peak |\n"
                + "|---|---|---|---|---|---|---|\n"
        );
        var streams = new ConcurrentBag<HttpResponseMessage>();

        foreach (
            var (kind, send) in ((string, Func<int, Task<HttpResponseMessage>>)[])
                [
                    ("sessions", n => OpenAsync(http, n)),
                    ("tickets", n => SendAsync(http, n, Authorize(client, n), null)),
                    ("registrations", n => SendAsync(http, n, "/auth/register", Registration(n))),
                    ("refusals", n => SendAsync(http, n, "/tools/search_products", Unknown(n))),
                    ("streams", n => SendAsync(http, n, "/sse", null, streams)),
                ]
        )
        {
            var (answers, served, slowest) = await FloodAsync(http, send);

            Assert.True(served > 0, $"nobody else was served during the {kind}");
            Assert.All(answers, answer => Assert.InRange(answer.Key, 200, 499)); // refused perhaps, but never broken
            var said = string.Join(
                ", ",
                answers.OrderBy(answer => answer.Key).Select(answer => $"{answer.Value} × {answer.Key}")
            );
            using var process = Process.GetProcessById(server.Id);
            figures.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {kind} | {Count} | {said} | {served} | {slowest.TotalMilliseconds:0} ms | "
                    + $"{process.WorkingSet64 >> 20} MiB | {server.PeakMemory >> 20} MiB |"
            );
        }

        foreach (var stream in streams)
        {
            stream.Dispose();
        }

        await CallAsync(http);
        TestContext.Current.TestOutputHelper?.WriteLine(figures.ToString());
        if (Environment.GetEnvironmentVariable("HOSTILE_LOAD_OUT") is { Length: > 0 } file)
        {
            await File.WriteAllTextAsync(file, figures.ToString(), Stop);
        }
    }

    private static async Task<(IReadOnlyDictionary<int, int> Answers, int Served, TimeSpan Slowest)> FloodAsync(
        HttpClient http,
        Func<int, Task<HttpResponseMessage>> send
    )
    {
        var answers = new ConcurrentDictionary<int, int>();
        var flood = Parallel.ForAsync(
            0,
            Count,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Stop },
            async (n, _) =>
            {
                var answer = await send(n);
                answers.AddOrUpdate((int)answer.StatusCode, 1, (_, count) => count + 1);
            }
        );
        var (served, slowest) = (0, TimeSpan.Zero);
        do
        {
            var started = Stopwatch.GetTimestamp();
            await CallAsync(http);
            served++;
            slowest = Stopwatch.GetElapsedTime(started) is var took && took > slowest ? took : slowest;
        } while (!flood.IsCompleted);

        await flood;
        return (answers, served, slowest);
    }

    private static async Task<HttpResponseMessage> OpenAsync(HttpClient http, int stranger)
    {
        var answer = await SendAsync(http, stranger, "/mcp", Initialize(stranger));
        Assert.True(answer.Headers.Contains("Mcp-Session-Id"), "the handshake was refused, so nothing is held");
        return answer;
    }

    // Somebody else.
    private static async Task CallAsync(HttpClient http)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/tools/search_products")
        {
            Content = Json("""{"query":"a"}"""),
        };
        request.Headers.Add("X-Forwarded-For", "203.0.113.1");
        using var answer = await http.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient http,
        int stranger,
        string path,
        string? body,
        ConcurrentBag<HttpResponseMessage>? kept = null
    )
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path);
        request.Content = body is null ? null : Json(body);
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.Add("X-Forwarded-For", $"2001:db8:{stranger >> 16:x}:{stranger & 0xFFFF:x}::1");
        var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        if (kept is null)
        {
            answer.Dispose();
        }
        else
        {
            kept.Add(answer);
        }

        return answer;
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    // As much as fits into names and members that a server might keep.
    private static string Filler(int stranger, int characters) => $"{stranger:D8}{new string('x', characters)}";

    private static string Initialize(int stranger) =>
        new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = 1,
            ["method"] = "initialize",
            ["params"] = new JsonObject
            {
                ["protocolVersion"] = "2025-11-25",
                ["clientInfo"] = new JsonObject { ["name"] = Filler(stranger, 55_000), ["version"] = "1" },
                ["capabilities"] = new JsonObject
                {
                    ["experimental"] = new JsonObject { [Filler(stranger, 3_900)] = new JsonObject() },
                },
            },
        }.ToJsonString();

    private static string Registration(int stranger) =>
        JsonSerializer.Serialize(
            new
            {
                client_name = Filler(stranger, 60),
                redirect_uris = new[] { Redirect },
                token_endpoint_auth_method = "none",
                more = Filler(stranger, 20_000),
            }
        );

    private static string Unknown(int stranger) =>
        "{" + string.Join(',', Enumerable.Range(0, 2_000).Select(n => $"\"argument{stranger}_{n}\":\"x\"")) + "}";

    private const string Redirect = "https://chatgpt.com/connector_platform_oauth_redirect";

    private static string Authorize(string client, int stranger) =>
        $"/auth/authorize?response_type=code&client_id={client}"
        + $"&redirect_uri={Uri.EscapeDataString(Redirect)}&code_challenge={new string('a', 43)}"
        + "&code_challenge_method=S256"
        + $"&scope=mcp:read&state={Filler(stranger, 2_000)}";

    private static async Task<string> RegisterAsync(HttpClient http)
    {
        using var answer = await http.PostAsync(
            "/auth/register",
            Json(
                JsonSerializer.Serialize(
                    new { redirect_uris = new[] { Redirect }, token_endpoint_auth_method = "none" }
                )
            ),
            Stop
        );
        var body = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.StatusCode is HttpStatusCode.Created, body);
        return JsonElement.Parse(body).GetProperty("client_id").GetString()!;
    }
}
