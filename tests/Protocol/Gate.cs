using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Where a test and a running tool meet: no side waits for a time, each for the other.</summary>
public sealed class Gate
{
    public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<string> Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A server with the gate's tools.</summary>
    public TestServer Serve(params (string Key, string Value)[] settings) =>
        TestServer.Start(
            services =>
            {
                NotesTools.Alone(services);
                services.AddSingleton(this).AddSingleton(new ToolType(typeof(GateTools)));
            },
            settings
        );
}

internal static class GateTools
{
    [McpServerTool(Name = "wait"), Description("Waits until the test lets it go, or it is cancelled.")]
    public static async Task<string> WaitAsync(Gate gate, CancellationToken cancellationToken)
    {
        gate.Started.TrySetResult();
        try
        {
            await gate.Release.Task.WaitAsync(cancellationToken);
            return "released";
        }
        catch (OperationCanceledException)
        {
            gate.Cancelled.TrySetResult();
            throw;
        }
    }

    [McpServerTool(Name = "wait_in_conversation"), Description("The same in the SDK path.")]
    public static Task<string> ConverseAsync(
        RequestContext<CallToolRequestParams> context,
        Gate gate,
        CancellationToken cancellationToken
    ) => WaitAsync(gate, cancellationToken);

    [McpServerTool(Name = "deaf"), Description("Does not listen to its token, and looks at its argument in the end.")]
    public static async Task<string> DeafAsync(Gate gate, JsonElement data)
    {
        gate.Started.TrySetResult();
        await gate.Release.Task;
        try
        {
            gate.Seen.TrySetResult(data.GetProperty("text").GetString()!);
        }
        catch (Exception failure)
        {
            gate.Seen.TrySetException(failure);
        }

        return "done";
    }

    [McpServerTool(Name = "protocol_error"), Description("Fails with an error of the protocol.")]
    public static string ProtocolError() =>
        throw new McpProtocolException("There is no such page.", McpErrorCode.InvalidParams);

    [McpServerTool(Name = "who"), Description("Says what it was given.")]
    public static string Who(string name) => name;
}
