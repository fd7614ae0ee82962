using System.Buffers.Binary;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Tests.Container;

/// <summary>What the engine said instead of doing it.</summary>
internal sealed class EngineException(int status, string message) : Exception($"The engine answered {status}: {message}");

/// <summary>A container engine, over its Unix socket and Docker's HTTP API.</summary>
internal sealed class Engine : IDisposable
{
    /// <summary>The newest version of the API whose answers this was written for.</summary>
    private static readonly Version Newest = new(1, 52);

    private readonly HttpClient _http;
    private string _version = "";

    private Engine(string socket) => _http = new HttpClient(new SocketsHttpHandler
    {
        UseProxy = false, // HTTP_PROXY is not for sockets
        ConnectCallback = async (_, cancellation) => new NetworkStream(await OpenAsync(socket, cancellation), ownsSocket: true),
    })
    {
        BaseAddress = new("http://docker/"), // a plain word: newer engines refuse any other Host
        Timeout = Timeout.InfiniteTimeSpan, // builds and events take as long as they take
    };

    /// <summary>Where engines listen, the one that the environment names first; only that one, when there is one.</summary>
    public static IEnumerable<string> Sockets() => Environment.GetEnvironmentVariable("DOCKER_HOST") switch
    {
        { Length: > 0 } host => host.StartsWith("unix://", StringComparison.Ordinal) ? [host["unix://".Length..]] : [],
        _ => ["/var/run/docker.sock", Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? "/run", "docker.sock")],
    };

    /// <summary>Speaks the version that both know. Engines refuse what is newer than themselves, and since 29 also what is older than 1.44.</summary>
    public static async Task<Engine> ConnectAsync(string socket, CancellationToken cancellation)
    {
        var engine = new Engine(socket);
        using var ping = await engine._http.GetAsync("_ping", cancellation);
        var theirs = ping.Headers.TryGetValues("Api-Version", out var values) ? Version.Parse(values.First()) : new(1, 24);
        engine._version = $"v{(theirs < Newest ? theirs : Newest)}/";
        return engine;
    }

    /// <summary>Asks, and gives the JSON of the answer; nothing when there is none. That a container is in the wished state already (304) is fine.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body = null, CancellationToken cancellation = default)
    {
        using var content = body as HttpContent ?? (body is null ? null : JsonContent.Create(body));
        using var response = await StreamAsync(method, path, content, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        return text.Length > 0 && text[0] is '{' or '[' ? JsonElement.Parse(text) : default;
    }

    public Task<JsonElement> GetAsync(string path, CancellationToken cancellation = default) => SendAsync(HttpMethod.Get, path, null, cancellation);

    public Task<JsonElement> PostAsync(string path, object? body = null, CancellationToken cancellation = default) => SendAsync(HttpMethod.Post, path, body, cancellation);

    public Task DeleteAsync(string path, CancellationToken cancellation = default) => SendAsync(HttpMethod.Delete, path, null, cancellation);

    /// <summary>Builds an image, and gives what was printed. The engine answers 200 before it begins: what goes wrong stands in the stream.</summary>
    public async Task<string> BuildAsync(string query, HttpContent context, CancellationToken cancellation)
    {
        var printed = new StringBuilder();
        await foreach (var line in LinesAsync(HttpMethod.Post, "build?" + query, context, cancellation))
        {
            if (line.TryGetProperty("error", out var error))
            {
                throw new EngineException(200, $"{error.GetString()}\n{printed}");
            }

            printed.Append(line.TryGetProperty("stream", out var text) ? text.GetString() : "");
        }

        return printed.ToString();
    }

    /// <summary>What happens, as it happens; without an end unless the query names one (<c>until</c>).</summary>
    public IAsyncEnumerable<JsonElement> EventsAsync(string query, CancellationToken cancellation) => LinesAsync(HttpMethod.Get, "events?" + query, null, cancellation);

    /// <summary>What a container without a terminal printed so far, on both streams.</summary>
    public async Task<string> LogsAsync(string container, CancellationToken cancellation = default)
    {
        using var response = await StreamAsync(HttpMethod.Get, $"containers/{container}/logs?stdout=1&stderr=1", null, cancellation);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var text = new StringBuilder();
        // Each frame has a header: the stream (1 or 2), three zeros, and its length.
        var header = new byte[8];
        while (await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation) == header.Length)
        {
            var frame = new byte[BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4))];
            await stream.ReadExactlyAsync(frame, cancellation);
            text.Append(Encoding.UTF8.GetString(frame));
        }

        return text.ToString();
    }

    /// <summary>A filter in the form of the API: JSON in the query.</summary>
    public static string Filters(params (string Name, string Value)[] filters) =>
        "filters=" + Uri.EscapeDataString(JsonSerializer.Serialize(filters.ToDictionary(filter => filter.Name, filter => new[] { filter.Value })));

    public void Dispose() => _http.Dispose();

    private async IAsyncEnumerable<JsonElement> LinesAsync(HttpMethod method, string path, HttpContent? content, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var response = await StreamAsync(method, path, content, cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (line.Length > 0)
            {
                yield return JsonElement.Parse(line);
            }
        }
    }

    private async Task<HttpResponseMessage> StreamAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, _version + path) { Content = content };
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if ((int)response.StatusCode < 400)
        {
            return response;
        }

        using (response)
        {
            throw new EngineException((int)response.StatusCode, (await response.Content.ReadAsStringAsync(cancellation)).Trim());
        }
    }

    private static async Task<Socket> OpenAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
