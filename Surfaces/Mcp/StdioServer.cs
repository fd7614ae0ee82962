using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// MCP over standard input and output: one message per line. Standard output carries only the protocol; logs go to
/// standard error. Reading starts at once, and requests that need no tools are answered during the start.
/// </summary>
internal sealed class StdioServer(
    LineServices line,
    ToolRegistry registry,
    IConfiguration configuration,
    IHostApplicationLifetime lifetime
) : BackgroundService
{
    private static readonly TimeSpan ParentCheck = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        using var orphaned = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var watching = EndWithParentAsync(orphaned);
        var output = Console.OpenStandardOutput();
        await using var conversation = new LineTransport(
            "stdio",
            () => registry.Current,
            line,
            started.Task,
            async (message, cancellationToken) =>
            {
                await output.WriteAsync(message, cancellationToken);
                await output.WriteAsync("\n"u8.ToArray(), cancellationToken);
                await output.FlushAsync(cancellationToken);
            }
        );
        var reader = PipeReader.Create(Console.OpenStandardInput());
        var limit = configuration.GetValue("Server:MaxRequestBytes", 4L << 20);
        try
        {
            await ReadLinesAsync(reader, conversation, limit, orphaned.Token);
            await conversation.CompleteAsync(orphaned.Token);
        }
        catch (OperationCanceledException)
        {
            // The server stops, or its parent process is gone.
        }

        // The client closed standard input, which is how it stops a stdio server. Only after the start, which cannot be
        // stopped.
        await started.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lifetime.StopApplication();
        await orphaned.CancelAsync();
        await watching;
    }

    // Wrappers (npx, shells) exit without closing our input, which other processes may hold open: nothing else would
    // stop this process.
    private static async Task EndWithParentAsync(CancellationTokenSource orphaned)
    {
        var parent = OperatingSystem.IsWindows() ? 0 : ParentId();
        if (parent <= 1)
        {
            return; // in a container, or below the system's service manager
        }

        using var timer = new PeriodicTimer(ParentCheck);
        try
        {
            while (ParentId() == parent)
            {
                await timer.WaitForNextTickAsync(orphaned.Token);
            }

            await orphaned.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // It ended for another reason.
        }
    }

    [DllImport("libc", EntryPoint = "getppid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ParentId();

    // Not StreamReader.ReadLine: input without a line end would exhaust memory.
    private static async Task ReadLinesAsync(
        PipeReader reader,
        LineTransport conversation,
        long limit,
        CancellationToken cancellationToken
    )
    {
        var skipping = false;
        while (true)
        {
            // A console read cannot be cancelled, but waiting for it can.
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
                await conversation.RefuseAsync(
                    new JsonRpcException(
                        JsonRpcErrorCode.InvalidRequest,
                        $"Invalid request: a message has at most {limit} bytes."
                    )
                );
            }

            if (read.IsCompleted)
            {
                if (!skipping)
                {
                    await TakeAsync(buffer); // the last line may lack a line end
                }

                return;
            }

            reader.AdvanceTo(skipping ? buffer.End : buffer.Start, buffer.End);
        }

        Task TakeAsync(in ReadOnlySequence<byte> line) =>
            line.IsEmpty || (line.Length == 1 && line.FirstSpan[0] == '\r')
                ? Task.CompletedTask
                : conversation.ReceiveAsync(line.ToArray(), default, cancellationToken);
    }
}
