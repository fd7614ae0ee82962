using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Http;
using MinimalMcp.Configuration;

namespace MinimalMcp.Outgoing;

/// <summary>Requests to upstream systems.</summary>
public static class OutgoingSetup
{
    /// <summary>
    /// Applies the same limits to every client of IHttpClientFactory, so that a family only uses <c>AddHttpClient</c>.
    /// The client's name, without "Client", is the upstream's name in settings, logs and messages.
    /// </summary>
    public static IHostApplicationBuilder AddOutgoing(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<OutgoingOptions>("Outgoing");
        builder.Services.AddSingleton<OutgoingLog>();
        builder.Services.AddSingleton<Upstreams>();
        builder.Services.AddSingleton<IHttpMessageHandlerBuilderFilter, OutgoingFilter>();
        builder.Services.ConfigureHttpClientDefaults(client =>
            client
                .RemoveAllLoggers() // they log queries and headers
                .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // connections are recycled instead, see below
                // it would not cover a body that is read later
                .ConfigureHttpClient(http => http.Timeout = Timeout.InfiniteTimeSpan)
                .UseSocketsHttpHandler((sockets, _) => sockets.AutomaticDecompression = DecompressionMethods.All)
        );
        return builder;
    }

    /// <summary>
    /// A filter and not a default, because it sees the client's name, and runs after a family that brings a handler of
    /// its own.
    /// </summary>
    private sealed class OutgoingFilter(Upstreams upstreams, IConfiguration configuration, OutgoingLog log)
        : IHttpMessageHandlerBuilderFilter
    {
        private static readonly TraceHeaders Trace = new();

        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) =>
            builder =>
            {
                next(builder);
                var upstream = upstreams.Of(builder.Name);
                Limit(builder.PrimaryHandler, upstream.MaxInFlight);
                if (builder.PrimaryHandler is SocketsHttpHandler sockets)
                {
                    Trust(sockets, upstream.Name);
                }

                // Next to the wire: what is sent again went through the family's handlers once.
                builder.AdditionalHandlers.Add(new ResilientHandler(upstream));
            };

        private static void Limit(HttpMessageHandler handler, int maxConnections)
        {
            if (handler is SocketsHttpHandler sockets)
            {
                // A redirect would send keys to any address that a response names, 169.254.169.254 included. Callers
                // share connections, but never cookies.
                sockets.AllowAutoRedirect = sockets.UseCookies = false;
                sockets.ActivityHeadersPropagator = Trace;
                sockets.ConnectTimeout = TimeSpan.FromSeconds(5);
                sockets.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
                sockets.MaxConnectionsPerServer = maxConnections;
                sockets.MaxResponseHeadersLength = 32; // KiB
                // unread bytes that are drained; with more the connection is closed
                sockets.MaxResponseDrainSize = 64 << 10;
            }
            else if (handler is HttpClientHandler simple)
            {
                simple.AllowAutoRedirect = simple.UseCookies = false;
                simple.MaxConnectionsPerServer = maxConnections;
                simple.MaxResponseHeadersLength = 32;
            }
        }

        // The setting Certificate of the upstream's section. DockerPulls has that of Docker.
        private void Trust(SocketsHttpHandler sockets, string name)
        {
            var certificate = configuration
                .GetChildren()
                .Where(section => name.StartsWith(section.Key, StringComparison.OrdinalIgnoreCase))
                .OrderByDescending(section => section.Key.Length)
                .Select(section => section["Certificate"])
                .FirstOrDefault(value => !string.IsNullOrWhiteSpace(value));
            if (certificate is null)
            {
                return; // the system's authorities decide
            }

            if (certificate == "any")
            {
                log.AnyCertificate(name);
            }

            var fingerprint = certificate.Replace(":", "", StringComparison.Ordinal).Trim();
            sockets.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
                shown is not null
                && (
                    certificate == "any"
                    || fingerprint.Equals(
                        shown.GetCertHashString(HashAlgorithmName.SHA256),
                        StringComparison.OrdinalIgnoreCase
                    )
                );
        }
    }
}
