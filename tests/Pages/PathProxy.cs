using System.Diagnostics;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Pages;

/// <summary>nginx, which serves a server below a path and takes the path off.</summary>
internal sealed class PathProxy : IAsyncDisposable
{
    public const string Path = "/behind/a-path";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("path-proxy");
    private readonly HttpClient _http = new();
    private Process? _nginx;

    private PathProxy() => Origin = $"http://127.0.0.1:{FreePort.Find()}";

    /// <summary>Where nginx listens.</summary>
    public string Origin { get; }

    /// <param name="server">What it serves.</param>
    /// <param name="tellsPrefix">Whether it sends the path as X-Forwarded-Prefix, as some proxies do.</param>
    public static async Task<PathProxy> StartAsync(TestServer server, bool tellsPrefix)
    {
        Needs.Nginx();
        var proxy = new PathProxy();
        var file = System.IO.Path.Combine(proxy._folder.FullName, "nginx.conf");
        var configuration = proxy.Configuration(server.Url.Authority, tellsPrefix);
        await File.WriteAllTextAsync(file, configuration, TestContext.Current.CancellationToken);
        string[] arguments = ["-p", proxy._folder.FullName, "-c", file, "-e", "stderr"];
        proxy._nginx = Process.Start(new ProcessStartInfo(Load.Installed.Nginx()!, arguments))!;
        await ServerProcess.ReadyAsync(proxy._http, proxy.Origin + Path);
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null)
        {
            _nginx.Kill(entireProcessTree: true);
            await _nginx.WaitForExitAsync();
            _nginx.Dispose();
        }

        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    // As root its workers would become somebody who may not enter the folder.
    private string Configuration(string server, bool tellsPrefix) => $$"""
        {{(Environment.UserName == "root" ? "user root;" : "")}}
        daemon off;
        error_log stderr;
        pid nginx.pid;
        events {}
        http {
          access_log off;
          client_body_temp_path body;
          proxy_temp_path proxy;
          fastcgi_temp_path fastcgi;
          uwsgi_temp_path uwsgi;
          scgi_temp_path scgi;
          server {
            listen {{new Uri(Origin).Authority}};
            location {{Path}}/ {
              proxy_pass http://{{server}}/;
              proxy_set_header Host $http_host;
              {{(tellsPrefix ? $"proxy_set_header X-Forwarded-Prefix {Path};" : "")}}
            }
          }
        }
        """;
}
