using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>
/// A body that breaks off, is too large or comes too slowly is the client's mistake, on every endpoint that reads one.
/// </summary>
[Slow]
public sealed class BrokenBodyTests
{
    private const string Forms = "application/x-www-form-urlencoded";

    public static TheoryData<string, string> Endpoints =>
        new()
        {
            { "/auth/token", Forms },
            { "/auth/revoke", Forms },
            { "/auth/introspect", Forms },
            { "/auth/authorize", Forms },
            { "/auth/register", "application/json" },
        };

    [Theory, MemberData(nameof(Endpoints))]
    public async Task It_is_told_in_the_form_of_OAuth_and_is_no_failure_of_the_server(string path, string type)
    {
        var log = new CapturedLog();
        await using var oauth = OAuthServer.Start(
            services =>
                services
                    .AddSingleton<ILoggerProvider>(log)
                    .Configure<KestrelServerOptions>(kestrel =>
                        kestrel.Limits.MinRequestBodyDataRate = new(1000, TimeSpan.FromSeconds(1.5))
                    ),
            ("Server:MaxRequestBytes", "50000")
        );

        await RefusedAsync(
            oauth,
            path,
            400,
            $"Transfer-Encoding: chunked\r\nContent-Type: {type}\r\n\r\nzz\r\nbroken\r\n"
        );
        await RefusedAsync(oauth, path, 413, $"Content-Length: 60000\r\nContent-Type: {type}\r\n\r\na=b");
        var large = $"F000\r\n{new string('a', 0xF000)}\r\n0\r\n\r\n";
        await RefusedAsync(oauth, path, 413, $"Transfer-Encoding: chunked\r\nContent-Type: {type}\r\n\r\n{large}");
        await RefusedAsync(oauth, path, 408, $"Content-Length: 100\r\nContent-Type: {type}\r\n\r\na=b");

        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Error);
    }

    private static async Task RefusedAsync(OAuthServer oauth, string path, int status, string rest)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", oauth.Http.BaseAddress!.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        var request = $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{oauth.Http.BaseAddress.Port}\r\n{rest}";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        var said = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var count)
            {
                said.Append(Encoding.UTF8.GetString(buffer, 0, count));
                if (said.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal))
                {
                    break; // the end of an answer in chunks
                }
            }
        }
        catch (IOException)
        {
            // The server does not read on, and the connection ends.
        }

        var answer = said.ToString();
        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        if (path == "/auth/authorize")
        {
            Assert.Contains("<html", answer); // for a person
        }
        else
        {
            var json = answer[answer.IndexOf('{', StringComparison.Ordinal)..(answer.LastIndexOf('}') + 1)];
            Assert.StartsWith("invalid_", JsonElement.Parse(json).GetProperty("error").GetString());
            Assert.Contains("no-store", answer);
        }
    }
}
