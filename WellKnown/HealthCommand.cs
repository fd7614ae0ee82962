using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using MinimalMcp.Configuration;

namespace MinimalMcp.WellKnown;

/// <summary>
/// <c>dotnet MinimalMcp.dll health [--timeout SECONDS]</c> checks the server that runs with the same settings. For
/// container health checks: the image has neither a shell nor curl.
/// </summary>
internal static class HealthCommand
{
    private const int DefaultTimeout = 5;

    public static async Task<int> RunAsync(IConfiguration configuration, string[] args)
    {
        var seconds = DefaultTimeout;
        if (
            args is [_, "--timeout", var timeout, ..]
            && (!int.TryParse(timeout, out seconds) || seconds is < 1 or > 300)
        )
        {
            Console.WriteLine($"--timeout must be between 1 and 300 seconds; you sent '{timeout}'.");
            return 2;
        }

        var address = Address(configuration);
        var url = Url(address);
        try
        {
            using var http = new HttpClient(Sockets(configuration, address))
            {
                Timeout = TimeSpan.FromSeconds(seconds),
            };
            // What Sockets connects may be TLS already.
            var asked = new UriBuilder(url) { Scheme = Uri.UriSchemeHttp };
            using var request = new HttpRequestMessage(HttpMethod.Get, asked.Uri);
            request.Headers.Host = "localhost"; // always served, whatever address the server listens on
            using var response = await http.SendAsync(request);
            Console.WriteLine(
                response.IsSuccessStatusCode ? $"{url} is alive." : $"{url} answered {(int)response.StatusCode}."
            );
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            Console.WriteLine(
                failure is TaskCanceledException
                    ? $"{url} did not answer within {seconds} s."
                    : $"{url} cannot be reached: {failure.InnerException?.Message ?? failure.Message}"
            );
            return 1;
        }
    }

    // The handler's own TLS would ask for the name of the header Host.
    private static SocketsHttpHandler Sockets(IConfiguration configuration, BindingAddress address) =>
        new()
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = address.IsUnixPipe
                    ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                    : new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    EndPoint place = address.IsUnixPipe
                        ? new UnixDomainSocketEndPoint(address.UnixPipePath)
                        : context.DnsEndPoint;
                    await socket.ConnectAsync(place, cancellationToken);
                    var stream = new NetworkStream(socket, ownsSocket: true);
                    return IsSecure(address) ? await SecureAsync(stream, configuration, cancellationToken) : stream;
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };

    // This asks the server of this machine, sends nothing that is secret and believes nothing but "alive". So the
    // server's certificate need be neither for the address that is asked nor of an authority that this machine knows.
    private static async Task<Stream> SecureAsync(
        Stream stream,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = ServerName(configuration),
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
            },
            cancellationToken
        );
        return secure;
    }

    private static bool IsSecure(BindingAddress address) =>
        address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase);

    // A server with a certificate for each name refuses the others: the first that is no pattern, or the public one.
    private static string ServerName(IConfiguration configuration) =>
        configuration
            .GetSection("Kestrel:Endpoints")
            .GetChildren()
            .SelectMany(endpoint => endpoint.GetSection("Sni").GetChildren())
            .Select(name => name.Key)
            .FirstOrDefault(name => !name.Contains('*'))
        ?? new ServerOptions { PublicUrl = configuration["Server:PublicUrl"] }
            .PublicUri
            ?.Host
        ?? "localhost";

    // Without TLS where there is a choice: a client certificate may be asked for on the other.
    private static BindingAddress Address(IConfiguration configuration)
    {
        var section = configuration.GetSection("Kestrel:Endpoints");
        string?[] endpoints = [.. section.GetChildren().Select(endpoint => endpoint["Url"])];
        var (host, port) = (configuration["Server:Host"] ?? "127.0.0.1", configuration["Server:Port"] ?? "3001");
        return endpoints
            .Concat((endpoints.Length > 0 ? null : configuration["urls"])?.Split(';') ?? [])
            .Where(address => !string.IsNullOrWhiteSpace(address))
            .DefaultIfEmpty($"http://{host}:{port}")
            .Select(address => BindingAddress.Parse(address!.Trim()))
            .OrderBy(IsSecure)
            .First();
    }

    // A server that listens on every address is asked on loopback.
    private static Uri Url(BindingAddress address) =>
        address.IsUnixPipe
            ? new($"{address.Scheme}://localhost/health/live")
            : new(
                $"{address.Scheme}://{(address.Host is "+" or "*" or "0.0.0.0" or "[::]" ? "127.0.0.1" : address.Host)}"
                    + $":{address.Port}/health/live"
            );
}
