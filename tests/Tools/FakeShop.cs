using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Tools;

/// <summary>The shop's own server, on a real socket: keeps what it was asked, and answers what the test says.</summary>
internal sealed class FakeShop : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeShop(WebApplication app) => _app = app;

    public ConcurrentQueue<Question> Asked { get; } = [];

    public int Status { get; set; } = 200;

    public string Answer { get; set; } = """{"messages":[{"kwargs":{"content":"hello"}},{"kwargs":{"content":"Milk is 4.19."}}]}""";

    public string Url => _app.Urls.Single();

    public static async Task<FakeShop> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var app = builder.Build();
        var shop = new FakeShop(app);
        app.Run(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            shop.Asked.Enqueue(new($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}", await reader.ReadToEndAsync(http.RequestAborted),
                http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            http.Response.StatusCode = shop.Status;
            http.Response.Headers.Location = "/elsewhere";
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(shop.Answer, http.RequestAborted);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return shop;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    internal sealed record Question(string Line, string Body, IReadOnlyDictionary<string, string> Headers)
    {
        public JsonElement Json => JsonElement.Parse(Body);
    }
}
