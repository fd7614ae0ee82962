using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// Stands in front of a real server, keeps what it was asked, and answers some of it itself, as a server in trouble.
/// </summary>
internal sealed class FaultyFront : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _behind = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxResponseDrainSize = 0,
        }
    );

    private FaultyFront(WebApplication app, Uri? target)
    {
        (_app, Target) = (app, target);
        app.Run(AnswerAsync);
    }

    /// <summary>The server behind; without one only the fault answers.</summary>
    public Uri? Target { get; set; }

    /// <summary>Answers a request in place of the server behind when it returns true.</summary>
    public Func<HttpContext, string, Task<bool>> Fault { get; set; } = (_, _) => Task.FromResult(false);

    public Uri Url => new(_app.Urls.First());

    public System.Collections.Concurrent.ConcurrentQueue<(string Line, string Body)> Requests { get; } = new();

    public static async Task<FaultyFront> StartAsync(Uri? target = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var front = new FaultyFront(builder.Build(), target);
        await front._app.StartAsync(TestContext.Current.CancellationToken);
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync(); // streams that are open do not end by themselves
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        _behind.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        var credential = http.Request.Headers.Authorization.ToString();
        Requests.Enqueue(($"{http.Request.Method} {http.Request.Path} {credential}".TrimEnd(), body));
        if (!await Fault(http, body))
        {
            await ForwardAsync(http, body);
        }
    }

    private async Task ForwardAsync(HttpContext http, string body)
    {
        using var request = new HttpRequestMessage(
            new(http.Request.Method),
            new Uri(Target!, http.Request.Path + http.Request.QueryString.ToString())
        );
        request.Content = body.Length > 0 ? new StringContent(body) : null;
        request.Content?.Headers.Remove("Content-Type");
        foreach (var (name, values) in http.Request.Headers.Where(header => header.Key is not ("Host" or "Connection")))
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()) && name != "Content-Length")
            {
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
            }
        }

        using var answer = await _behind.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            http.RequestAborted
        );
        http.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (name != "Transfer-Encoding")
            {
                http.Response.Headers[name] = values.ToArray();
            }
        }

        await http.Response.StartAsync(http.RequestAborted);
        await using var stream = await answer.Content.ReadAsStreamAsync(http.RequestAborted);
        var buffer = new byte[16 << 10];
        while (await stream.ReadAsync(buffer, http.RequestAborted) is > 0 and var count)
        {
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, count), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }
}
