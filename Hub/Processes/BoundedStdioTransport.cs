using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// stdio with bounds. The SDK's own transport reads lines without a limit: a server that writes 400 MB without a
/// newline costs 2.5 GiB.
/// </summary>
internal sealed class BoundedStdioTransport : IClientTransport, ITransport
{
    private const int MaxWaitingWrites = 256,
        MaxNoise = 4096;

    private static readonly TimeSpan WriteLimit = TimeSpan.FromSeconds(10);
    private static readonly JsonTypeInfo<JsonRpcMessage> Json = McpTypeInfo.Of<JsonRpcMessage>();

    private readonly ChildProcess _child;
    private readonly LogRing _log;
    private readonly int _maxBytes;
    private readonly Channel<JsonRpcMessage> _messages = Channel.CreateBounded<JsonRpcMessage>(
        // A thread less for each message: what reads them does not block.
        new BoundedChannelOptions(64)
        {
            SingleReader = true,
            SingleWriter = true,
            AllowSynchronousContinuations = true,
        }
    );

    private readonly Channel<Line> _lines = Channel.CreateBounded<Line>(
        new BoundedChannelOptions(MaxWaitingWrites) { SingleReader = true }
    );

    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _reading;
    private string? _broken;
    private RequestId? _initialize;

    public BoundedStdioTransport(ChildProcess child, string name, int maxBytes, LogRing log)
    {
        (_child, Name, _maxBytes, _log) = (child, name, maxBytes, log);
        _reading = Task.Run(ReadAsync);
        _ = Task.Run(WriteAsync);
    }

    public string Name { get; }

    public string? SessionId => null;

    public ChannelReader<JsonRpcMessage> MessageReader => _messages.Reader;

    /// <summary>Completes with the reason when the connection has ended.</summary>
    public Task<string> Ended => _ended.Task;

    /// <summary>Lines of standard output that were no JSON-RPC message.</summary>
    public int Noise { get; private set; }

    /// <summary>What the server answered to initialize.</summary>
    public string? ProtocolVersion { get; private set; }

    public Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<ITransport>(this);

    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        if (message is JsonRpcRequest { Method: RequestMethods.Initialize } initialize)
        {
            _initialize = initialize.Id;
        }

        var write = new Line([.. JsonSerializer.SerializeToUtf8Bytes(message, Json), (byte)'\n']);
        if (!_lines.Writer.TryWrite(write))
        {
            throw _closed.IsCancellationRequested
                ? new IOException($"Server '{Name}' was stopped.")
                : new McpException($"{MaxWaitingWrites} messages to server '{Name}' are waiting. Try again later.");
        }

        try
        {
            // Who cancels does not wait, but the line is written: half of one would end many a server.
            await write.Written.Task.WaitAsync(WriteLimit, cancellationToken);
        }
        catch (TimeoutException)
        {
            Break($"it read nothing from its standard input for {WriteLimit.TotalSeconds:0} s");
            throw new IOException(_broken);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException($"Server '{Name}' has closed its standard input.", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _child.DisposeAsync();
        await Task.WhenAny(_reading, Task.Delay(TimeSpan.FromMilliseconds(500)));
        _messages.Writer.TryComplete();
        _ended.TrySetResult("it was stopped");
    }

    // Writing to a pipe blocks a thread in any case. All lines that wait are written at once: with a thread for each,
    // one after the other, calls would wait for threads on a busy machine.
    private async Task WriteAsync()
    {
        try
        {
            while (await _lines.Reader.WaitToReadAsync(_closed.Token))
            {
                while (_lines.Reader.TryRead(out var line))
                {
                    Write(line);
                }
            }
        }
        catch (OperationCanceledException)
        {
            _lines.Writer.TryComplete();
            while (_lines.Reader.TryRead(out var line))
            {
                line.Written.TrySetException(new ObjectDisposedException(Name));
            }
        }
    }

    private void Write(Line line)
    {
        try
        {
            _child.Input.Write(line.Utf8);
            _child.Input.Flush();
            line.Written.TrySetResult();
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidOperationException)
        {
            line.Written.TrySetException(failure);
        }
    }

    private void Break(string reason)
    {
        _broken ??= reason;
        _ = _child.StopAsync();
        End();
    }

    private async Task ReadAsync()
    {
        try
        {
            var reader = PipeReader.Create(_child.Output, new StreamPipeReaderOptions(bufferSize: 64 << 10));
            var (looked, skipped) = (0L, 0L);
            while (true)
            {
                var read = await reader.ReadAsync(_closed.Token);
                var rest = read.Buffer;
                while (rest.Slice(Math.Min(looked, rest.Length)).PositionOf((byte)'\n') is { } end)
                {
                    if (skipped == 0)
                    {
                        await TakeAsync(rest.Slice(0, end));
                    }

                    rest = rest.Slice(rest.GetPosition(1, end));
                    (looked, skipped) = (0, 0);
                }

                if (skipped + rest.Length > _maxBytes)
                {
                    Break($"it wrote a line of more than {_maxBytes} bytes (Hub:MaxMessageBytes)");
                    return;
                }

                // What cannot become a message is not kept until its line ends.
                if (skipped > 0 || (rest.Length > MaxNoise && !IsObject(rest)))
                {
                    if (skipped == 0)
                    {
                        AddNoise(rest);
                    }

                    skipped += rest.Length;
                    rest = rest.Slice(rest.End);
                }

                looked = rest.Length;
                reader.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // it ended, or it is being stopped
        }

        // The exit code and the end of stderr come a moment after the end of stdout.
        try
        {
            await _child.WaitForExitAsync(_closed.Token).WaitAsync(TimeSpan.FromSeconds(1));
        }
        catch (Exception failure)
            when (failure is TimeoutException or OperationCanceledException or InvalidOperationException)
        {
            // said below
        }

        End();
    }

    private void End()
    {
        string reason;
        try
        {
            reason = _broken
                ?? _child.Exceeded
                ?? (_child.ExitCode is { } code ? $"it ended with exit code {code}" : "it closed its output");
        }
        catch (InvalidOperationException)
        {
            reason = "it was stopped";
        }

        if (_child.Reached is { } reached)
        {
            reason += $"; {reached}";
        }

        if (_log.Tail() is { Length: > 0 } tail)
        {
            reason += $"; its last lines: {tail}";
        }

        _messages.Writer.TryComplete(new IOException(reason));
        _ended.TrySetResult(reason);
    }

    private async ValueTask TakeAsync(ReadOnlySequence<byte> line)
    {
        if (line.Length == 0 || (line.Length == 1 && line.FirstSpan[0] == '\r'))
        {
            return;
        }

        if (Parse(line) is not { } message)
        {
            AddNoise(line);
            return;
        }

        if (message is JsonRpcResponse response && _initialize is { } id && response.Id.Equals(id))
        {
            _initialize = null;
            AcceptVersion(response);
        }

        await _messages.Writer.WriteAsync(message, _closed.Token);
    }

    private void AddNoise(ReadOnlySequence<byte> line)
    {
        Noise++;
        _log.Add(line);
    }

    // Every message is an object (MCP, basic), so that other lines need no parser, and no exception each.
    private static bool IsObject(ReadOnlySequence<byte> line)
    {
        var reader = new SequenceReader<byte>(line);
        reader.AdvancePastAny(" \t\r"u8);
        return reader.IsNext((byte)'{');
    }

    private static JsonRpcMessage? Parse(ReadOnlySequence<byte> line)
    {
        if (!IsObject(line))
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(line);
            return JsonSerializer.Deserialize(ref reader, Json);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    // The client asks for one revision without probing by server/discover, which burns the connection of many servers;
    // then it refuses an older answer. Over stdio the revisions with initialize differ in nothing that it does.
    private void AcceptVersion(JsonRpcResponse response)
    {
        if (response.Result is System.Text.Json.Nodes.JsonObject result)
        {
            ProtocolVersion = result["protocolVersion"]?.ToString();
            if (ProtocolVersion is "2024-11-05" or "2025-03-26" or "2025-06-18")
            {
                result["protocolVersion"] = UpstreamConnection.Version;
            }
        }
    }

    private sealed record Line(byte[] Utf8)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
