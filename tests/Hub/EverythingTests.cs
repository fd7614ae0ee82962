using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>The reference server of the specification's authors, over stdio, through the front door.</summary>
[Slow]
public sealed class EverythingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SdkClient.Streamable, "2025-11-25")]
    [InlineData(SdkClient.Streamable, "2026-07-28")]
    [InlineData(SdkClient.Sse, "2024-11-05")]
    public async Task All_that_it_has_is_served(string transport, string version)
    {
        var script = Needs.NodePackage("@modelcontextprotocol/server-everything/dist/index.js");
        await using var hub = HubServer.Empty();
        await hub.AddAsync("everything", [script, "stdio"]);
        // It registers some tools only after it has seen what its client can do.
        await Wait.Until(async () =>
            (await ToolNames.OfAsync(hub.Server, "/mcp"))[0].Contains("everything_trigger-sampling-request")
        );
        await using var client = await SdkClient.ConnectAsync(hub.Server, transport, version);

        Assert.Equal("Echo: hi", Text(await CallAsync("echo", ("message", "hi"))));
        var links = (await CallAsync("get-resource-links", ("count", 2))).Content.OfType<ResourceLinkBlock>().ToArray();
        Assert.Equal(2, links.Length);
        foreach (var link in links)
        {
            Assert.StartsWith("hub://everything/demo://resource/dynamic/", link.Uri);
            Assert.Equal(link.Uri, (await client.ReadResourceAsync(link.Uri, cancellationToken: Stop)).Contents[0].Uri);
        }

        var resources = await client.ListResourcesAsync(cancellationToken: Stop);
        var first = resources.First(one => one.Uri.StartsWith("hub://everything/", StringComparison.Ordinal));
        Assert.NotEmpty((await client.ReadResourceAsync(first.Uri, cancellationToken: Stop)).Contents);
        var prompt = await client.GetPromptAsync(
            "everything_args-prompt",
            new Dictionary<string, object?> { ["city"] = "Bern" },
            cancellationToken: Stop
        );
        Assert.Contains("Bern", ((TextContentBlock)prompt.Messages[0].Content).Text);
        var reference = new PromptReference { Name = "everything_completable-prompt" };
        var completed = await client.CompleteAsync(reference, "department", "S", cancellationToken: Stop);
        Assert.Equal(["Sales", "Support"], completed.Completion.Values);
        var template = (await client.ListResourceTemplatesAsync(cancellationToken: Stop)).First(one =>
            one.UriTemplate.StartsWith("hub://everything/demo://resource/dynamic/text", StringComparison.Ordinal)
        );
        var ofTemplate = new ResourceTemplateReference { Uri = template.UriTemplate };
        var ids = await client.CompleteAsync(ofTemplate, "resourceId", "7", cancellationToken: Stop);
        Assert.Equal(["7"], ids.Completion.Values);

        var progress = new SdkClient.Collected();
        var arguments = new Dictionary<string, object?> { ["duration"] = 0.2, ["steps"] = 2 };
        await client.CallToolAsync(
            "everything_trigger-long-running-operation",
            arguments,
            progress,
            cancellationToken: Stop
        );
        float[] reported = await Wait.Soon(progress.Two);
        Assert.Equal("1, 2", string.Join(", ", reported));
        Assert.Contains("ada", AllText(await CallAsync("trigger-elicitation-request")));
        Assert.Contains("model says hi", AllText(await CallAsync("trigger-sampling-request", ("prompt", "Say hi"))));
        Assert.Contains("echo", (await ToolNames.OfAsync(hub.Server, "/mcp/everything"))[0]);

        async Task<CallToolResult> CallAsync(string tool, params (string Name, object? Value)[] values) =>
            await client.CallToolAsync(
                "everything_" + tool,
                values.ToDictionary(value => value.Name, value => value.Value),
                cancellationToken: Stop
            );
    }

    private static string Text(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private static string AllText(CallToolResult result) =>
        string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));
}
