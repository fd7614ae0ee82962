using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace MinimalMcp.Configuration;

/// <summary>
/// Lingering close: keeps reading briefly after a response that came before the end of its request (413, 431, a
/// malformed body). Kestrel would close at once, and further data of the client would cause a TCP reset that destroys
/// the unread response (RFC 9112 section 9.6).
/// </summary>
internal static class LingeringClose
{
    private const int MaxBytes = 16 << 20;
    private const int MaxConnections = 256; // those beyond are closed at once, so that nobody can hold many this way
    private const int SmallBody = 64 << 10; // arrives with its headers, or soon after
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(2);
    private static readonly object Mark = new();
    private static int _connections;

    /// <summary>Below TLS: bytes are read, and not understood.</summary>
    public static void Add(ListenOptions listen) => listen.Use(next => connection => RunAsync(next, connection));

    /// <summary>Marks connections with a body that may still be on its way when it is refused.</summary>
    public static void Use(WebApplication app) =>
        app.Use(next =>
            http =>
            {
                var request = http.Request;
                if (request.ContentLength > SmallBody || request.Headers.TransferEncoding.Count > 0)
                {
                    http.Features.Get<IConnectionItemsFeature>()?.Items.TryAdd(Mark, null);
                }

                return next(http);
            }
        );

    private static async Task RunAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        var transport = connection.Transport;
        var (input, output) = (new Input(transport.Input), new Output(transport.Output));
        connection.Transport = new Transport(input, output);
        try
        {
            await next(connection);
            if ((input.HasRest || connection.Items.ContainsKey(Mark)) && output.Failure is null)
            {
                await ReadOnAsync(connection, transport.Input);
            }
        }
        finally
        {
            connection.Transport = transport;
            await transport.Output.CompleteAsync(output.Failure);
            await transport.Input.CompleteAsync(input.Failure);
        }
    }

    private static async Task ReadOnAsync(ConnectionContext connection, PipeReader input)
    {
        var stop = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested
            ?? default;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, stop);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        try
        {
            limit.CancelAfter(MaxTime);
            for (var left = Interlocked.Increment(ref _connections) > MaxConnections ? 0L : MaxBytes; left > 0; )
            {
                silence.CancelAfter(MaxSilence);
                var read = await input.ReadAsync(silence.Token);
                left -= read.Buffer.Length;
                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The time is over, or the connection is gone.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private sealed class Transport(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }

    /// <summary>
    /// Is not completed by the protocol, which would close the connection, but by <see cref="RunAsync"/>.
    /// </summary>
    private sealed class Input(PipeReader inner) : PipeReader
    {
        /// <summary>Whether something that arrived was left unread.</summary>
        public bool HasRest { get; private set; }

        public Exception? Failure { get; private set; }

        public override void AdvanceTo(SequencePosition consumed)
        {
            HasRest = false;
            inner.AdvanceTo(consumed);
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            HasRest = !consumed.Equals(examined);
            inner.AdvanceTo(consumed, examined);
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            inner.ReadAsync(cancellationToken);

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => Failure ??= exception;
    }

    private sealed class Output(PipeWriter inner) : PipeWriter
    {
        public Exception? Failure { get; private set; }

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            inner.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => Failure ??= exception;
    }
}
