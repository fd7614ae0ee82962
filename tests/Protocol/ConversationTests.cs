using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Protocol;

/// <summary>The SDK's own client, over every transport, with tools that talk back.</summary>
[Slow]
public sealed class ConversationTests
{
    private const string Streamable = SdkClient.Streamable;
    private const string Sse = SdkClient.Sse;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData(Streamable), InlineData(Sse)]
    public async Task A_tool_asks_the_user_and_the_model(string transport)
    {
        await using var server = FixtureServer.Start();
        await using var client = await SdkClient.ConnectAsync(server, transport, "2025-11-25");

        var elicited = await client.CallToolAsync(
            "test_elicitation",
            new Dictionary<string, object?> { ["message"] = "Who?" },
            cancellationToken: Token
        );
        Assert.Contains("action=accept", Text(elicited), StringComparison.Ordinal);
        Assert.Contains("ada", Text(elicited), StringComparison.Ordinal);

        var sampled = await client.CallToolAsync(
            "test_sampling",
            new Dictionary<string, object?> { ["prompt"] = "Hello" },
            cancellationToken: Token
        );
        Assert.Equal("LLM response: model says hi", Text(sampled));
    }

    [Fact]
    public async Task Since_2026_07_28_a_tool_asks_with_its_result()
    {
        await using var server = FixtureServer.Start();
        await using var client = await SdkClient.ConnectAsync(server, Streamable, "2026-07-28");

        Assert.Equal("2026-07-28", client.NegotiatedProtocolVersion);
        Assert.Equal(
            "Hello, ada!",
            Text(await client.CallToolAsync("test_input_required_result_elicitation", cancellationToken: Token))
        );
        Assert.Equal(
            "model says hi",
            Text(await client.CallToolAsync("test_input_required_result_sampling", cancellationToken: Token))
        );
    }

    [Theory]
    [InlineData(Streamable, "2025-11-25")]
    [InlineData(Streamable, "2026-07-28")]
    [InlineData(Sse, "2024-11-05")]
    public async Task A_tool_reports_progress(string transport, string version)
    {
        await using var server = FixtureServer.Start();
        await using var client = await SdkClient.ConnectAsync(server, transport, version);
        var seen = new SdkClient.Collected();

        var result = await client.CallToolAsync("test_tool_with_progress", progress: seen, cancellationToken: Token);

        Assert.Equal("Progress finished.", Text(result));
        // the client itself drops the last, which comes with the result
        Assert.Equal([0f, 50f], (await Wait.Soon(seen.Two)).Order());
    }

    [Theory, InlineData(Streamable), InlineData(Sse)]
    public async Task Logging_follows_the_level_that_the_client_sets(string transport)
    {
        await using var server = FixtureServer.Start();
        await using var client = await SdkClient.ConnectAsync(server, transport, "2025-11-25");
        var logged = new TaskCompletionSource<string>();
        await using var registration = client.RegisterNotificationHandler(
            NotificationMethods.LoggingMessageNotification,
            (notification, _) =>
            {
                logged.TrySetResult(notification.Params!["data"]!.GetValue<string>());
                return default;
            }
        );

        await client.SetLoggingLevelAsync(LoggingLevel.Error, cancellationToken: Token);
        await client.CallToolAsync("test_tool_with_logging", cancellationToken: Token);
        Assert.False(logged.Task.IsCompleted);

        await client.SetLoggingLevelAsync(LoggingLevel.Info, cancellationToken: Token);
        await client.CallToolAsync("test_tool_with_logging", cancellationToken: Token);
        Assert.Equal("Tool execution started", await Wait.Soon(logged.Task));
    }

    [Theory]
    [InlineData(Streamable, "2025-03-26")]
    [InlineData(Streamable, "2025-06-18")]
    [InlineData(Streamable, "2025-11-25")]
    [InlineData(Streamable, "2026-07-28")]
    [InlineData(Sse, "2024-11-05")]
    public async Task Tools_prompts_resources_and_completion_are_there(string transport, string version)
    {
        await using var server = FixtureServer.Start();
        await using var client = await SdkClient.ConnectAsync(server, transport, version);

        Assert.Equal(version, client.NegotiatedProtocolVersion);
        await AssertNotesAsync(client);
        var completed = await client.CompleteAsync(
            new PromptReference { Name = "test_prompt_with_arguments" },
            "arg1",
            "par",
            cancellationToken: Token
        );
        Assert.Equal(["paris", "park", "party"], completed.Completion.Values);
    }

    [Theory, InlineData("2025-11-25"), InlineData("2026-07-28")]
    public async Task The_program_serves_the_sdks_client_over_stdio(string version)
    {
        await using var client = await McpClient.CreateAsync(
            new StdioClientTransport(
                new()
                {
                    Command = "dotnet",
                    Arguments = [ServerProcess.Dll, "--stdio"],
                    WorkingDirectory = AppContext.BaseDirectory,
                    EnvironmentVariables = ProgramTools.Notes.ToDictionary(
                        pair => pair.Key,
                        pair => (string?)pair.Value
                    ),
                }
            ),
            new McpClientOptions
            {
                ProtocolVersion = version,
                InitializationTimeout = Wait.Limit,
                DiscoverProbeTimeout = Wait.Limit,
            },
            cancellationToken: Token
        );

        Assert.Equal(version, client.NegotiatedProtocolVersion);
        await AssertNotesAsync(client);
    }

    [Theory]
    [InlineData(Streamable, "2025-11-25")]
    [InlineData(Sse, "2025-11-25")]
    public async Task A_client_is_told_that_the_tools_changed(string transport, string version)
    {
        await using var server = FixtureServer.Start();
        await using var client = await SdkClient.ConnectAsync(server, transport, version);
        var changes = new SemaphoreSlim(0);
        await using var registration = client.RegisterNotificationHandler(
            NotificationMethods.ToolListChangedNotification,
            (_, _) =>
            {
                changes.Release();
                return default;
            }
        );
        var registry = server.Services.GetRequiredService<ToolRegistry>();
        // The client opens its stream in the background; until it has, nobody hears.
        while (!await changes.WaitAsync(TimeSpan.FromMilliseconds(20), Token))
        {
            FixtureServer.ToggleTool(server);
        }

        var names = (await client.ListToolsAsync(cancellationToken: Token)).Select(tool => tool.Name);
        Assert.Equal(registry.Current.All.Select(tool => tool.Name), names);
    }

    private static async Task AssertNotesAsync(McpClient client)
    {
        Assert.Contains(
            "get_topics",
            (await client.ListToolsAsync(cancellationToken: Token)).Select(tool => tool.Name)
        );
        var topics = await client.CallToolAsync("get_topics", cancellationToken: Token);
        Assert.Equal(3, topics.StructuredContent!.Value.GetProperty("topics").GetArrayLength());
        Assert.Contains(
            "plan_notes",
            (await client.ListPromptsAsync(cancellationToken: Token)).Select(prompt => prompt.Name)
        );
        var prompt = await client.GetPromptAsync(
            "plan_notes",
            new Dictionary<string, object?> { ["occasion"] = "tea" },
            cancellationToken: Token
        );
        Assert.Contains("tea", ((TextContentBlock)prompt.Messages[0].Content).Text, StringComparison.Ordinal);
        Assert.Contains(
            "notes://all",
            (await client.ListResourcesAsync(cancellationToken: Token)).Select(resource => resource.Uri)
        );
        var notes = await client.ReadResourceAsync("notes://all", cancellationToken: Token);
        Assert.Contains("milk", ((TextResourceContents)notes.Contents[0]).Text, StringComparison.Ordinal);
    }

    private static string Text(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;
}
