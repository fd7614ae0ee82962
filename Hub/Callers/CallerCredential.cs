using System.Net.Http.Headers;
using MinimalMcp.Hub.Remote;

namespace MinimalMcp.Hub.Callers;

/// <summary>A caller's own secret at a server, on a connection that only this caller uses.</summary>
internal sealed class CallerCredential(ServerDefinition server, string secret, string page) : UpstreamCredential
{
    private volatile bool _isRefused;

    /// <summary>The server answered 401.</summary>
    public bool IsRefused => _isRefused;

    public override string Fix => $"Store another secret at {page}";

    public override ValueTask AddAsync(HttpRequestHeaders headers, CancellationToken cancellationToken)
    {
        var (name, value) = HeaderOf(server, secret);
        Set(headers, name, value);
        return default;
    }

    public override ValueTask<bool> RenewAsync(HttpRequestHeaders refused, CancellationToken cancellationToken)
    {
        _isRefused = true;
        return new(false);
    }
}
