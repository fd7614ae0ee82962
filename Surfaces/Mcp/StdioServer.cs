using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Options;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// MCP over standard input and output: one message per line. Standard output belongs to the protocol alone; logs go to standard error.
/// </summary>
internal sealed class StdioServer(
    FastLane fast, FullLane full, ListChanges changes, ToolRegistry registry, RpcMetrics metrics, IOptions<McpOptions> options, IConfiguration configuration, IHostApplicationLifetime lifetime,
    ILogger<StdioServer> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var output = Console.OpenStandardOutput();
        await using var conversation = new StreamConversation(
            "stdio", () => registry.Current, fast, full, changes, metrics, logger, options.Value.MaxInFlight,
            async (message, cancellationToken) =>
            {
                await output.WriteAsync(message, cancellationToken);
                await output.WriteAsync("\n"u8.ToArray(), cancellationToken);
                await output.FlushAsync(cancellationToken);
            });
        var reader = PipeReader.Create(Console.OpenStandardInput());
        var limit = configuration.GetValue("Server:MaxRequestBytes", 4L << 20);
        try
        {
            await ReadLinesAsync(reader, conversation, limit, stoppingToken);
            await conversation.CompleteAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }

        // The client closed our input: that is how a host ends a stdio server.
        lifetime.StopApplication();
    }

    // Not StreamReader.ReadLine: a flood without a line end would fill the memory.
    private static async Task ReadLinesAsync(PipeReader reader, StreamConversation conversation, long limit, CancellationToken cancellationToken)
    {
        var skipping = false;
        while (true)
        {
            // A read of the console cannot be cancelled; waiting for it can.
            var read = await reader.ReadAsync(cancellationToken).AsTask().WaitAsync(cancellationToken);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                if (!skipping)
                {
                    await TakeAsync(line);
                }

                skipping = false;
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > limit && !skipping)
            {
                skipping = true;
                await conversation.RefuseAsync(new RpcException(RpcCode.InvalidRequest, $"Invalid request: a message has at most {limit} bytes."));
            }

            if (read.IsCompleted)
            {
                if (!skipping)
                {
                    await TakeAsync(buffer); // the last line may have no end
                }

                return;
            }

            reader.AdvanceTo(skipping ? buffer.End : buffer.Start, buffer.End);
        }

        Task TakeAsync(in ReadOnlySequence<byte> line) => line.IsEmpty || (line.Length == 1 && line.FirstSpan[0] == '\r')
            ? Task.CompletedTask
            : conversation.ReceiveAsync(line.ToArray(), default, cancellationToken);
    }
}
