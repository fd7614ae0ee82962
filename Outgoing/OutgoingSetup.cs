using System.Net;
using Microsoft.Extensions.Http;
using MinimalMcp.Configuration;

namespace MinimalMcp.Outgoing;

/// <summary>Requests to upstream systems.</summary>
public static class OutgoingSetup
{
    /// <summary>
    /// Puts the same limits around every client of the factory, so that a family says <c>AddHttpClient</c> and nothing of ours. The name of
    /// the client, without the word Client, is the name of the system in settings, logs and sentences.
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
                .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // connections are renewed instead, below
                .ConfigureHttpClient(http => http.Timeout = Timeout.InfiniteTimeSpan) // it would not cover a body that is read later
                .UseSocketsHttpHandler((sockets, _) => sockets.AutomaticDecompression = DecompressionMethods.All)
        );
        return builder;
    }

    /// <summary>A filter and not a default, because it sees the client's name, and comes after a family that brings a handler of its own.</summary>
    private sealed class OutgoingFilter(Upstreams upstreams) : IHttpMessageHandlerBuilderFilter
    {
        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) =>
            builder =>
            {
                next(builder);
                var upstream = upstreams.Of(builder.Name);
                Limit(builder.PrimaryHandler, upstream.MaxInFlight);
                builder.AdditionalHandlers.Add(new OutgoingHandler(upstream)); // next to the wire: what it sends again went through the family's handlers once
            };

        private static readonly TraceHeaders Trace = new();

        private static void Limit(HttpMessageHandler handler, int maxConnections)
        {
            if (handler is SocketsHttpHandler sockets)
            {
                // A redirect would carry keys to wherever an answer says, also to 169.254.169.254; callers share connections, never a cookie.
                sockets.AllowAutoRedirect = sockets.UseCookies = false;
                sockets.ActivityHeadersPropagator = Trace;
                sockets.ConnectTimeout = TimeSpan.FromSeconds(5);
                sockets.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
                sockets.MaxConnectionsPerServer = maxConnections;
                sockets.MaxResponseHeadersLength = 32; // KiB
                sockets.MaxResponseDrainSize = 64 << 10; // what a family did not read; more, and the connection is closed instead
            }
            else if (handler is HttpClientHandler simple)
            {
                simple.AllowAutoRedirect = simple.UseCookies = false;
                simple.MaxConnectionsPerServer = maxConnections;
                simple.MaxResponseHeadersLength = 32;
            }
        }
    }
}
