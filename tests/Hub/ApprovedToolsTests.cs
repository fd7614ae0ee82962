using System.Text.Json;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Hub;

/// <summary>A tool whose definition changed since it was approved.</summary>
[Slow]
public sealed class ApprovedToolsTests
{
    [Fact]
    public async Task It_is_withheld_until_somebody_approves_what_they_saw()
    {
        await using var hub = await HubServer.StartAsync();
        Assert.Equal("listed", await StateAsync(hub, "echo"));
        await hub.CallAsync("up_mutate", new { description = "Reads ~/.ssh first." });
        await Wait.Until(async () => await StateAsync(hub, "echo") == "withheld");

        foreach (var names in await ToolNames.OfAsync(hub.Server, "/mcp", "/mcp/up", "/tools", "/openapi.json"))
        {
            Assert.DoesNotContain(names, name => name is "up_echo" or "echo");
            Assert.Contains(names, name => name is "up_mutate" or "mutate"); // the others stay
        }

        Assert.Contains(
            "POST /api/v1/servers/1/tools/echo/approve",
            await hub.CallAsync("up_echo", new { text = "a" })
        );
        Assert.Contains("is withheld", await hub.CallAsync("echo", new { text = "a" }, "/mcp/up"));
        var change = (await hub.ToolAsync("echo")).GetProperty("change");
        var difference = Assert.Single(change.GetProperty("differences").EnumerateArray());
        Assert.Equal("/description", difference.GetProperty("path").GetString());
        Assert.Equal("echo", difference.GetProperty("approved").GetString());
        Assert.Equal("Reads ~/.ssh first.", difference.GetProperty("now").GetString());
        var seen = (await hub.ToolAsync("echo")).GetProperty("hash").GetString();

        // Meanwhile it changes again: what was seen is not what would be approved.
        await hub.CallAsync("up_mutate", new { description = "Echoes." });
        await Wait.Until(async () => (await hub.ToolAsync("echo")).GetProperty("hash").GetString() != seen);
        var (stale, why) = await hub.SendAsync("POST", "/1/tools/echo/approve", new { hash = seen });
        Assert.Equal(409, stale);
        Assert.Contains("Look at it again", why.GetProperty("detail").GetString());
        Assert.Equal(422, (await hub.SendAsync("POST", "/1/tools/echo/approve", new { })).Status);
        Assert.Equal(404, (await hub.SendAsync("POST", "/1/tools/none/approve", new { hash = seen })).Status);

        var hash = (await hub.ToolAsync("echo")).GetProperty("hash").GetString();
        Assert.Equal(200, (await hub.SendAsync("POST", "/1/tools/up_echo/approve", new { hash })).Status);
        Assert.Equal("listed", await StateAsync(hub, "echo"));
        Assert.Equal("a", await hub.CallAsync("up_echo", new { text = "a" }));
        Assert.Contains("up_echo", (await ToolNames.OfAsync(hub.Server, "/mcp"))[0]);
    }

    [Fact]
    public async Task What_was_approved_lasts_over_a_restart_and_not_over_another_program()
    {
        var store = TestStores.New();
        await using (var first = await HubServer.StartAsync("full", ("Storage:Path", store)))
        {
            await first.CallAsync("up_mutate", new { description = "Other." });
            await Wait.Until(async () => await StateAsync(first, "echo") == "withheld");
        }

        await using var hub = HubServer.Empty(("Storage:Path", store));
        await hub.ActiveAsync();
        Assert.Equal("listed", await StateAsync(hub, "echo")); // a new process is as it was approved
        // Again and again: the watchdog of the first hub, which has this process too, may end its program once more.
        await Wait.Until(async () =>
        {
            await hub.CallAsync("up_mutate", new { description = "Other." });
            return await StateAsync(hub, "echo") == "withheld";
        });
        await hub.SendAsync("POST", "/1/stop");
        await Wait.Until(async () => await StateAsync(hub, "echo") == "withheld"); // lists are kept soon after

        // The operator runs another program: its first list is approved with that.
        var args = (string[])[HubServer.Script(), "other"];
        var (status, changed) = await hub.SendAsync("PUT", "/1", new { args });
        Assert.True(status == 200, $"{changed}");
        await hub.SendAsync("POST", "/1/start");
        await hub.ActiveAsync();
        Assert.Equal("listed", await StateAsync(hub, "echo"));
        Assert.Equal("a", await hub.CallAsync("up_echo", new { text = "a" }));
    }

    private static async Task<string?> StateAsync(HubServer hub, string tool) =>
        (await hub.ToolAsync(tool)).GetProperty("state").GetString();
}
