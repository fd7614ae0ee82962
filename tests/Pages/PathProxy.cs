using MinimalMcp.Tests.Guides;

namespace MinimalMcp.Tests.Pages;

/// <summary>nginx, which serves a server below a path and takes the path off.</summary>
internal sealed class PathProxy : IAsyncDisposable
{
    public const string Path = "/behind/a-path";

    private readonly ReverseProxy _nginx;

    private PathProxy(ReverseProxy nginx) => _nginx = nginx;

    /// <summary>Where nginx listens.</summary>
    public string Origin => $"http://127.0.0.1:{_nginx.Port}";

    /// <param name="server">What it serves.</param>
    /// <param name="tellsPrefix">Whether it sends the path as X-Forwarded-Prefix, as some proxies do.</param>
    public static async Task<PathProxy> StartAsync(TestServer server, bool tellsPrefix)
    {
        var block = $$"""
            server {
              listen 80;
              location {{Path}}/ {
                proxy_pass http://localhost:3001/;
                proxy_set_header Host $http_host;
                {{(tellsPrefix ? $"proxy_set_header X-Forwarded-Prefix {Path};" : "")}}
              }
            }
            """;
        return new(await ReverseProxy.StartAsync("nginx", block, server.Url.Authority, $"http://127.0.0.1:PORT{Path}"));
    }

    public ValueTask DisposeAsync() => _nginx.DisposeAsync();
}
