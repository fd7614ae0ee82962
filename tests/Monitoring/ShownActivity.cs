using System.Net.Http.Headers;
using System.Text.Json;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>What <c>/api/v1/sessions</c> and <c>/api/v1/activity</c> show, as lines that tests compare.</summary>
internal static class ShownActivity
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<JsonElement[]> SessionsAsync(TestServer server, string? key) =>
        [.. (await GetAsync(server, "/sessions", key)).EnumerateArray()];

    /// <summary>All events, the oldest first, once there are as many.</summary>
    public static async Task<JsonElement[]> ActivityAsync(
        TestServer server,
        string? key,
        Func<JsonElement[], bool> enough
    )
    {
        JsonElement[] events = [];
        try
        {
            await Wait.Until(async () =>
            {
                var page = await GetAsync(server, "/activity?limit=200", key);
                Assert.False(page.TryGetProperty("next", out _)); // they are all of them
                events = [.. page.GetProperty("activity").EnumerateArray().Reverse()];
                return enough(events);
            });
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"There are only\n{string.Join('\n', events)}");
        }

        return events;
    }

    /// <summary>Type of client, its name, surface, revision, calls.</summary>
    public static string Line(JsonElement session) =>
        string.Join(
            ' ',
            Text(session, "client_type"),
            session.TryGetProperty("client_info", out var client) ? Text(client, "name") : "-",
            Text(session, "surface"),
            Text(session, "revision"),
            session.GetProperty("calls").GetInt64(),
            session.GetProperty("has_session").GetBoolean() ? "session" : "caller"
        );

    /// <summary>The text of a member; a dash without one.</summary>
    public static string Text(JsonElement one, string name) =>
        one.TryGetProperty(name, out var value) ? value.GetString()! : "-";

    private static async Task<JsonElement> GetAsync(TestServer server, string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1" + path);
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using var answer = await server.Http.SendAsync(request, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }
}
