using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Outgoing;

/// <summary>The server with the family of <see cref="AskTools"/> and the systems Alpha and Beta behind it.</summary>
internal sealed class OutgoingServer : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly CapturedLog _log = new();

    private OutgoingServer(
        string alpha,
        string beta,
        Action<IServiceCollection>? services,
        (string, string)[] settings
    ) =>
        _server = TestServer.Start(
            registered =>
            {
                registered
                    .AddSingleton<AskTools>()
                    .AddSingleton(new ToolType(typeof(AskTools)))
                    .AddSingleton<ILoggerProvider>(_log);
                foreach (
                    var (name, url) in (ReadOnlySpan<(string, string)>)[("AlphaClient", alpha), ("BetaClient", beta)]
                )
                {
                    registered.AddHttpClient(name, client =>
                    {
                        client.BaseAddress = new(url);
                        client.DefaultRequestHeaders.Add("X-Api-Key", AskTools.HeaderSecret);
                    });
                }

                services?.Invoke(registered);
            },
            settings
        );

    public TestServer Server => _server;

    public IEnumerable<string> Log => _log.Lines.Select(line => line.Text);

    public static OutgoingServer Start(RawServer alpha, params (string, string)[] settings) =>
        new(alpha.Url, alpha.Url, null, settings);

    public static OutgoingServer Start(RawServer alpha, RawServer beta, params (string, string)[] settings) =>
        new(alpha.Url, beta.Url, null, settings);

    public static OutgoingServer Start(
        RawServer alpha,
        Action<IServiceCollection> services,
        params (string, string)[] settings
    ) => new(alpha.Url, alpha.Url, services, settings);

    public static OutgoingServer Start(RawServer alpha, TimeProvider time) =>
        Start(alpha, services => services.AddSingleton(time));

    /// <summary>The status and the whole answer of one call.</summary>
    public async Task<(int Status, string Text)> AskAsync(
        string method = "GET",
        bool headersFirst = false,
        string system = "Alpha",
        string tool = "ask",
        string? circuit = null
    )
    {
        var arguments =
            tool == "ask"
                ? JsonSerializer.Serialize(
                    new
                    {
                        method,
                        headersFirst,
                        system,
                        circuit,
                    }
                )
                : "{}";
        using var response = await _server.PostAsync("/tools/" + tool, arguments);
        return (
            (int)response.StatusCode,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    /// <summary>
    /// A call that fails because of the system behind it; gives the sentence, in which no secret may stand, and neither
    /// in the log.
    /// </summary>
    public async Task<string> FailAsync(
        string method = "GET",
        bool headersFirst = false,
        string system = "Alpha",
        string? circuit = null
    )
    {
        var (status, text) = await AskAsync(method, headersFirst, system, circuit: circuit);
        var isLate =
            text.Contains("did not answer completely within", StringComparison.Ordinal)
            || text.Contains("was busy with other requests for", StringComparison.Ordinal);
        Assert.True(status == (isLate ? 504 : 502), $"{status} {text}");
        KeptSecrets(text);
        return text;
    }

    public void KeptSecrets(string answer) => Assert.All(Log.Append(answer), line =>
        {
            Assert.DoesNotContain(AskTools.HeaderSecret, line);
            Assert.DoesNotContain(AskTools.QuerySecret, line);
            Assert.DoesNotContain(AskTools.AnswerSecret, line);
        });

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
