using System.Net;
using System.Text;

namespace MinimalMcp.Load;

/// <summary>Where requests go, and the key that they carry.</summary>
internal sealed class Target
{
    private readonly string _host,
        _path;

    public Target(Uri url, string? key)
    {
        if (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https"))
        {
            throw new InvalidOperationException(
                $"--url {url}: give an http or https address, for example http://127.0.0.1:3001"
            );
        }

        (Url, Key, _host) = (url, key, url.Authority);
        _path = url.AbsolutePath.TrimEnd('/');
        // the address that people paste into ChatGPT
        _path = _path.EndsWith("/mcp", StringComparison.Ordinal) ? _path[..^4] : _path;
        EndPoint = new(
            IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) ? address : Resolve(url.Host),
            url.Port
        );
    }

    public Uri Url { get; }
    public string? Key { get; }
    public IPEndPoint EndPoint { get; }

    /// <summary>A request that can be sent any number of times.</summary>
    public Request Request(Call call)
    {
        var head = new StringBuilder(
            $"{call.Method} {_path}{call.Path} HTTP/1.1\r\nHost: {_host}\r\nAccept: application/json, "
                + "text/event-stream\r\n"
        );
        if (Key is not null)
        {
            head.Append($"Authorization: Bearer {Key}\r\n");
        }

        if (call.Body.Length > 0)
        {
            head.Append(
                $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(call.Body)}\r\n"
            );
        }

        return new(
            this,
            Encoding.UTF8.GetBytes($"{head}{call.Headers}\r\n{call.Body}"),
            Encoding.UTF8.GetBytes(call.Expected)
        );
    }

    // IPv4 first: "localhost" is both, and servers often listen on one.
    private static IPAddress Resolve(string host) =>
        Dns.GetHostAddresses(host).OrderBy(address => address.AddressFamily).First();
}

/// <summary>The bytes of a call to one server, and what its answer must contain.</summary>
internal sealed record Request(Target Target, byte[] Bytes, byte[] Expected)
{
    private static readonly byte[] ToolError = "\"isError\":true"u8.ToArray();

    /// <summary>A tool's answer; an error in a response with status 200 is none.</summary>
    public bool Accepts(HttpResponse answer) =>
        answer.Status == 200 && answer.Body.Span.IndexOf(Expected) >= 0 && answer.Body.Span.IndexOf(ToolError) < 0;
}
