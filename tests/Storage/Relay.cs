using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Tests.Storage;

/// <summary>
/// A network between two sides that a test can break: then nothing arrives any more, and nobody is told.
/// </summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _accepting;
    private readonly int _to;
    private volatile TaskCompletionSource _passes = Passing();

    public Relay(int to)
    {
        _to = to;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Break() => _passes = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Mend() => _passes.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _ended.Dispose();
    }

    private static TaskCompletionSource Passing()
    {
        var passing = new TaskCompletionSource();
        passing.SetResult();
        return passing;
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(PassAsync(await _listener.AcceptTcpClientAsync(_ended.Token)));
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task PassAsync(TcpClient near)
    {
        using (near)
        using (var far = new TcpClient())
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token))
        {
            try
            {
                await _passes.Task.WaitAsync(either.Token);
                await far.ConnectAsync(IPAddress.Loopback, _to, either.Token);
                await Task.WhenAny(PumpAsync(near, far, either.Token), PumpAsync(far, near, either.Token));
            }
            catch (Exception gone) when (gone is OperationCanceledException or IOException or SocketException) { }

            await either.CancelAsync();
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, CancellationToken stop)
    {
        try
        {
            var bytes = new byte[65_536];
            while (await from.GetStream().ReadAsync(bytes, stop) is > 0 and var read)
            {
                await _passes.Task.WaitAsync(stop);
                await to.GetStream().WriteAsync(bytes.AsMemory(0, read), stop);
            }
        }
        catch (Exception gone)
            when (gone is OperationCanceledException or IOException or SocketException or ObjectDisposedException) { }
    }
}
