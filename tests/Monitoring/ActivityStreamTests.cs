using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Storage;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>Events as they happen, on every replica.</summary>
[Slow]
public sealed class ActivityStreamTests(PostgresServer postgres)
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_call_that_is_made_elsewhere_comes_on_the_stream_once_and_in_order(Engine engine)
    {
        var settings = await engine.SettingsAsync(postgres);
        await using var one = GovernedTools.Start(new GovernedTools(), settings);
        await using var other = engine is Engine.Postgres ? GovernedTools.Start(new GovernedTools(), settings) : one;
        await CallAsync(other, "before");
        await Wait.Until(async () => (await IdsAsync(one)).Length == 1);

        using var stream = await OpenAsync(one, "");
        Assert.Equal(": connected", await stream.LineAsync());
        for (var i = 0; i < 5; i++)
        {
            await CallAsync(other, $"call {i}");
        }

        var ids = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            var message = await stream.MessageAsync();
            Assert.Equal("tool_called", message.GetProperty("type").GetString());
            ids.Add(message.GetProperty("id").GetInt64());
        }

        Assert.Equal([.. (await IdsAsync(one)).Order().Skip(1)], ids);

        // A browser that lost the stream says where it was, and gets the rest.
        using var again = await OpenAsync(one, "?type=tool_called", lastId: ids[2]);
        Assert.Equal(ids[3], (await again.MessageAsync()).GetProperty("id").GetInt64());
        Assert.Equal(ids[4], (await again.MessageAsync()).GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task It_is_filtered_and_HEAD_and_wrong_filters_end_at_once()
    {
        await using var server = GovernedTools.Start(new GovernedTools());
        using var errors = await OpenAsync(server, "?type=error_occurred&user=ann");
        Assert.Equal(": connected", await errors.LineAsync());
        await CallAsync(server, "fine", "ann");
        await server.McpAsync("tools/call", new { name = "look", arguments = new { x = 1 } }, caller: "bob");
        await server.McpAsync("tools/call", new { name = "look", arguments = new { y = 1 } }, caller: "ann");
        var message = await errors.MessageAsync();
        Assert.Equal(
            ("error_occurred", "ann"),
            (message.GetProperty("type").GetString(), message.GetProperty("user").GetString())
        );

        using var head = new HttpRequestMessage(HttpMethod.Head, "/api/v1/activity/stream");
        using var answer = await server.Http.SendAsync(head, Stop);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        using var wrong = await server.Http.GetAsync(new Uri("/api/v1/activity/stream?x=1", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task There_are_only_so_many_streams()
    {
        await using var server = GovernedTools.Start(new GovernedTools());
        var open = new List<Events>();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                open.Add(await OpenAsync(server, ""));
                Assert.Equal(200, open[^1].Status);
            }

            using (var full = await OpenAsync(server, ""))
            {
                Assert.Equal(429, full.Status);
            }

            // One that ends makes room.
            open[0].Dispose();
            await Wait.Until(async () =>
            {
                using var more = await OpenAsync(server, "");
                return more.Status == 200;
            });
        }
        finally
        {
            open.ForEach(stream => stream.Dispose());
        }
    }

    [Fact]
    public async Task It_ends_with_the_operators_session()
    {
        var time = new ManualTime();
        await using var server = ActivityTests.Keyed(services => services.AddSingleton<TimeProvider>(time));
        var cookies = new CookieContainer();
        using var browser = new HttpClient(
            new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = cookies }
        )
        {
            BaseAddress = server.Url,
            Timeout = Wait.Limit,
        };
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["password"] = Key });
        using var signedIn = await browser.PostAsync(new Uri("/auth/sign-in", UriKind.Relative), form, Stop);
        Assert.Equal(303, (int)signedIn.StatusCode);
        using var stream = new Events(
            await browser.GetAsync(
                new Uri("/api/v1/activity/stream", UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead,
                Stop
            )
        );
        Assert.Equal(": connected", await stream.LineAsync());
        time.Fire(); // it is looked at, and still good

        using var nothing = new FormUrlEncodedContent([]);
        using var ended = await browser.PostAsync(new Uri("/auth/sign-out", UriKind.Relative), nothing, Stop);
        Assert.Equal(303, (int)ended.StatusCode);
        var ending = EndAsync(stream);
        await Wait.Until(() =>
        {
            time.Fire();
            return ending.IsCompleted;
        });
    }

    private static async Task EndAsync(Events stream)
    {
        while (await stream.LineAsync() is not null) { }
    }

    private static async Task<Events> OpenAsync(TestServer server, string query, long? lastId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/activity/stream" + query);
        if (lastId is not null)
        {
            request.Headers.Add("Last-Event-ID", $"{lastId}");
        }

        return new(await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop));
    }

    private static Task<McpAnswer> CallAsync(TestServer server, string what, string? caller = null) =>
        server.McpAsync("tools/call", new { name = "look", arguments = new { what } }, caller: caller);

    private static async Task<long[]> IdsAsync(TestServer server)
    {
        JsonElement page = await server.GetJsonAsync("/api/v1/activity");
        return [.. page.GetProperty("activity").EnumerateArray().Select(one => one.GetProperty("id").GetInt64())];
    }
}
