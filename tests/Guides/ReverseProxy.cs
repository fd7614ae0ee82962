using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Guides;

/// <summary>nginx, Caddy, HAProxy or Apache on a free port of this machine, with blocks as people write them.</summary>
internal sealed class ReverseProxy : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("proxy");
    private Process? _process;

    private ReverseProxy(int port) => Port = port;

    public int Port { get; }

    /// <param name="kind">nginx, caddy, haproxy or apache.</param>
    /// <param name="blocks">
    /// What people write. The ports 443 and 80, the certificate's paths and the server at port 3001 are replaced.
    /// </param>
    /// <param name="server">The address of the server, such as 127.0.0.1:5000.</param>
    /// <param name="ready">An address through the proxy below which /health/ready answers when all is ready.</param>
    public static async Task<ReverseProxy> StartAsync(string kind, string blocks, string server, string ready)
    {
        var program = Needs.Proxy(kind);
        var proxy = new ReverseProxy(FreePort.Find());
        var (folder, address) = (proxy._folder.FullName, $"127.0.0.1:{proxy.Port}");
        WriteCertificate(folder);
        var file = Path.Combine(folder, kind + ".conf");
        var replaced = blocks
            .Replace("listen 443 ssl", $"listen {address} ssl", StringComparison.Ordinal)
            .Replace("listen 80", $"listen {address}", StringComparison.Ordinal)
            .Replace("bind :443", $"bind {address}", StringComparison.Ordinal)
            .Replace("<VirtualHost *:443>", $"<VirtualHost {address}>", StringComparison.Ordinal)
            .Replace("/path/to/", folder + "/", StringComparison.Ordinal)
            .Replace("localhost:3001", server, StringComparison.Ordinal)
            .Replace("127.0.0.1:3001", server, StringComparison.Ordinal);
        var (text, arguments) = kind switch
        {
            "nginx" => (Nginx(replaced), ["-p", folder, "-c", file, "-e", "stderr"]),
            "caddy" => (Caddy(replaced, proxy.Port), ["run", "--adapter", "caddyfile", "--config", file]),
            "haproxy" => (replaced + "\n", ["-db", "-f", file]),
            _ => (Apache(replaced, folder, address), (string[])["-DFOREGROUND", "-d", folder, "-f", file]),
        };
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        start.Environment["HOME"] = start.Environment["XDG_DATA_HOME"] = start.Environment["XDG_CONFIG_HOME"] = folder;
        proxy._process = Process.Start(start)!;
        var output = TestContext.Current.TestOutputHelper;
        proxy._process.ErrorDataReceived += (_, line) => output?.WriteLine($"{kind}: {line.Data}");
        proxy._process.BeginErrorReadLine();
        var url = new Uri(ready.Replace("PORT", $"{proxy.Port}", StringComparison.Ordinal));
        using var http = proxy.Client(url.GetLeftPart(UriPartial.Authority));
        await ServerProcess.ReadyAsync(http, url.ToString().TrimEnd('/'));
        return proxy;
    }

    /// <summary>A client that finds every host name at the proxy, and takes its certificate.</summary>
    public HttpClient Client(string baseAddress)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync("127.0.0.1", Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        return new(handler) { BaseAddress = new Uri(baseAddress), Timeout = Wait.Limit };
    }

    /// <summary>
    /// A folder for CURL_HOME: curl then finds a host at the proxy, takes its certificate, and ends with the answer's
    /// head where a stream stays open.
    /// </summary>
    public string CurlHome(string host)
    {
        File.WriteAllText(
            Path.Combine(_folder.FullName, ".curlrc"),
            $"connect-to = \"{host}:443:127.0.0.1:{Port}\"\ninsecure\nsilent\nshow-error\n"
        );
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

        _folder.Delete(recursive: true);
    }

    private static void WriteCertificate(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("mcp.example.com"); // Caddy asks an authority for a certificate of a name that it has none for
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var (cert, secret) = (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, "cert.pem"), cert);
        File.WriteAllText(Path.Combine(folder, "key.pem"), secret);
        File.WriteAllText(Path.Combine(folder, "cert-and-key.pem"), $"{cert}\n{secret}\n");
    }

    // As root its workers would become somebody who may not enter the folder.
    private static string Nginx(string blocks) =>
        $$"""
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

    // Neither its control port nor a redirect from port 80, which are the machine's.
    private static string Caddy(string blocks, int port) =>
        $$"""
            {
                admin off
                auto_https disable_redirects
                https_port {{port}}
                default_bind 127.0.0.1
            }
            {{blocks}}

            """;

    // The modules that `a2enmod` switches on, and what Debian's apache2.conf has.
    private static string Apache(string blocks, string folder, string address) =>
        $"""
        {string.Concat(((string[])["mpm_event", "authz_core", "ssl", "headers", "proxy", "proxy_http"])
            .Select(name => $"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))}
        {(Environment.UserName == "root" ? "User www-data\nGroup www-data" : "")}
        ServerName localhost
        ErrorLog /dev/stderr
        PidFile {folder}/apache.pid
        DefaultRuntimeDir {folder}
        Mutex pthread
        Listen {address}
        {blocks}

        """;
}
