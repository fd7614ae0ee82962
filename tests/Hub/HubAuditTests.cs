using System.Text.Json;

namespace MinimalMcp.Tests.Hub;

/// <summary>What operators do to servers, and calls of their tools, are in the audit log.</summary>
[Slow]
public sealed class HubAuditTests
{
    [Fact]
    public async Task Changes_and_calls_name_who_what_and_the_outcome()
    {
        await using var hub = await HubServer.StartAsync();
        await hub.CallAsync("up_echo", new { text = "hi" });
        await hub.CallAsync("echo", new { text = "hi" }, "/mcp/up");
        await hub.CallAsync("up_mutate", new { description = "Other." });
        await Wait.Until(async () => (await hub.ToolAsync("echo")).GetProperty("state").GetString() == "withheld");
        await hub.CallAsync("up_echo", new { text = "hi" });
        var hash = (await hub.ToolAsync("echo")).GetProperty("hash").GetString();
        await hub.SendAsync("POST", "/1/tools/echo/approve", new { hash = "stale" });
        await hub.SendAsync("POST", "/1/tools/echo/approve", new { hash });
        await hub.SendAsync("PUT", "/1", new { env = new { TOKEN = "t0ps3cret" } });
        await hub.SendAsync("POST", "/1/stop");
        await hub.SendAsync("POST", "/1/start");
        await hub.SendAsync("DELETE", "/1");
        await hub.SendAsync("DELETE", "/1");

        var calls = await RowsAsync("up/echo");
        Assert.Equal(["intent", "ok", "intent", "ok", "refused: denied"], calls.Select(Outcome));
        Assert.Equal(["intent", "refused: 409", "intent", "ok"], (await RowsAsync("servers/approve")).Select(Outcome));
        Assert.Equal(["intent", "ok", "intent", "refused: 404"], (await RowsAsync("servers/delete")).Select(Outcome));
        foreach (var action in (string[])["create", "update", "stop", "start"])
        {
            var rows = await RowsAsync($"servers/{action}");
            Assert.Equal(["intent", "ok"], rows.Select(Outcome));
            Assert.Equal("local", rows[0].GetProperty("subject").GetString());
            Assert.Equal("up", rows[1].GetProperty("arguments").GetProperty("server").GetString());
            Assert.DoesNotContain("t0ps3cret", rows[1].GetRawText());
        }

        async Task<JsonElement[]> RowsAsync(string tool)
        {
            JsonElement[] rows = [];
            // The entry after a request is written soon.
            await Wait.Until(async () =>
            {
                var page = await hub.Server.GetJsonAsync($"/api/v1/audit?tool={Uri.EscapeDataString(tool)}");
                rows = [.. page.GetProperty("rows").EnumerateArray().Reverse()];
                return rows.Length > 0 && Outcome(rows[^1]) != "intent";
            });
            return rows;
        }

        static string Outcome(JsonElement row) => row.GetProperty("outcome").GetString()!;
    }
}
