using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Guides;

/// <summary>nginx on a free port of this machine, with server blocks as people write them.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nginx");
    private readonly HttpClient _http = new(new HttpClientHandler
    {
        ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator,
    });

    private Process? _process;

    private Nginx(int port) => Port = port;

    public int Port { get; }

    /// <param name="blocks">
    /// The server blocks. The port 443 and 80, the certificate's paths and the server localhost:3001 are replaced.
    /// </param>
    /// <param name="server">The address of the server, such as 127.0.0.1:5000.</param>
    /// <param name="ready">An address through nginx that answers when all is ready.</param>
    public static async Task<Nginx> StartAsync(string blocks, string server, string ready)
    {
        Needs.Nginx();
        var nginx = new Nginx(FreePort.Find());
        var folder = nginx._folder.FullName;
        WriteCertificate(folder);
        var file = Path.Combine(folder, "nginx.conf");
        var replaced = blocks
            .Replace("listen 443 ssl", $"listen 127.0.0.1:{nginx.Port} ssl", StringComparison.Ordinal)
            .Replace("listen 80", $"listen 127.0.0.1:{nginx.Port}", StringComparison.Ordinal)
            .Replace("/path/to/", folder + "/", StringComparison.Ordinal)
            .Replace("localhost:3001", server, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, Frame(replaced), TestContext.Current.CancellationToken);
        string[] arguments = ["-p", folder, "-c", file, "-e", "stderr"];
        nginx._process = Process.Start(new ProcessStartInfo(Load.Installed.Nginx()!, arguments))!;
        await ServerProcess.ReadyAsync(nginx._http, ready.Replace("PORT", $"{nginx.Port}", StringComparison.Ordinal));
        return nginx;
    }

    /// <summary>A client that finds every host name at nginx, and takes its certificate.</summary>
    public HttpClient Client(string baseAddress)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new System.Net.Sockets.Socket(
                    System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await socket.ConnectAsync("127.0.0.1", Port, cancellationToken);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        };
        return new(handler) { BaseAddress = new Uri(baseAddress), Timeout = Wait.Limit };
    }

    /// <summary>
    /// A folder for CURL_HOME: curl then finds a host at nginx, takes its certificate, and ends with the answer's head
    /// where a stream stays open.
    /// </summary>
    public string CurlHome(string host)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, ".curlrc"),
            $"connect-to = \"{host}:443:127.0.0.1:{Port}\"\ninsecure\nsilent\nshow-error\n");
        return _folder.FullName;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    private static void WriteCertificate(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    // As root its workers would become somebody who may not enter the folder.
    private static string Frame(string blocks) => $$"""
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
        {{blocks}}
        }
        """;
}
