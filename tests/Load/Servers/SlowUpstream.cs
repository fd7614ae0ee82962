using System.Text.Json.Nodes;

namespace MinimalMcp.Load;

/// <summary>
/// A system behind a tool that takes its time: the shop's own server, which answers every question after a delay.
/// </summary>
internal sealed class SlowUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SlowUpstream(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public static async Task<SlowUpstream> StartAsync(TimeSpan delay)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapFallback(async context =>
        {
            await Task.Delay(delay, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await context.Response.WriteAsJsonAsync(
                new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["content"] = "Two kinds of milk." }) }
            );
        });
        await app.StartAsync();
        return new(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
