using System.Text.Json;
using System.Text.RegularExpressions;
using Docker.DotNet;
using Docker.DotNet.Handler.Abstractions;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using Version = System.Version;

namespace MinimalMcp.Engine;

/// <summary>
/// Docker.DotNet over a message handler of the caller's, which keeps its limits and retries. Adds what Docker.DotNet
/// lacks: the API version that both sides know, bounded logs, and failures in plain words.
/// </summary>
internal sealed partial class EngineClient : IDisposable
{
    /// <summary>The newest API version whose answers this was written for.</summary>
    private static readonly Version Newest = new(1, 52);

    private readonly DockerClient _docker;
    private readonly HttpMessageInvoker _http;
    private readonly Uri _root;
    private readonly IReadOnlyDictionary<string, string> _headers;

    /// <param name="handler">Sends the requests. It is disposed with this client.</param>
    /// <param name="url">Where the API is, with the path before it (Portainer has one) and a slash at its end.</param>
    /// <param name="version">The API version of the path. Null leaves it to whatever passes the requests on.</param>
    /// <param name="headers">Sent with every request.</param>
    /// <param name="circuit">What of the system this is, where one address leads to several engines.</param>
    public EngineClient(
        HttpMessageHandler handler,
        Uri url,
        Version? version = null,
        IReadOnlyDictionary<string, string>? headers = null,
        string? circuit = null
    )
    {
        var checkedHandler = new EngineErrorHandler(handler, circuit);
        (ApiVersion, _headers) = (version, headers ?? new Dictionary<string, string>());
        (_http, _root) = (new(checkedHandler), version is null ? url : new Uri(url, $"v{version}/"));
        // Timeouts are the handler's: a build or a wait takes as long as it takes.
        _docker = new DockerClientBuilder()
            .WithEndpoint(url)
            .WithApiVersion(version)
            .WithHeaders(_headers)
            .WithTimeout(Timeout.InfiniteTimeSpan)
            .WithTransportOptions(Transport.Instance, checkedHandler)
            .Build();
    }

    /// <summary>The version that both sides speak; null where that was not negotiated.</summary>
    public Version? ApiVersion { get; }

    public IContainerOperations Containers => _docker.Containers;

    public IImageOperations Images => _docker.Images;

    public INetworkOperations Networks => _docker.Networks;

    public IVolumeOperations Volumes => _docker.Volumes;

    public ISystemOperations System => _docker.System;

    /// <summary>
    /// Uses the newest API version that both sides know. Docker refuses versions that are newer than its own and,
    /// since 29, those before 1.44.
    /// </summary>
    public static async Task<EngineClient> ConnectAsync(HttpMessageHandler handler, Uri url, CancellationToken ct)
    {
        using var http = new HttpMessageInvoker(handler, disposeHandler: false);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, "_ping"));
        using var answer = await http.SendAsync(request, ct);
        if (
            !answer.IsSuccessStatusCode
            || !answer.Headers.TryGetValues("Api-Version", out var values)
            || !Version.TryParse(values.First(), out var theirs)
        )
        {
            // Docker has sent its version since API 1.24: whatever does not is something else.
            throw await EngineException.FromAsync(answer, ct);
        }

        return new(handler, url, theirs < Newest ? theirs : Newest);
    }

    /// <summary>Makes a call. Unexpected JSON becomes an <see cref="EngineException"/>.</summary>
    public async Task<T> AskAsync<T>(Func<EngineClient, Task<T>> call)
    {
        try
        {
            return await call(this);
        }
        catch (Exception e) when (e is JsonException or NotImplementedException)
        {
            // Docker.DotNet's converters throw NotImplementedException for null where a time is due.
            throw EngineException.FromJson(e);
        }
    }

    /// <summary>
    /// Reads what a container printed so far. Docker.DotNet's own stream fails at a truncated frame and has no
    /// limits. Inspects the container first: before API 1.42 no header says whether it has a terminal.
    /// </summary>
    public async Task<ContainerLog> LogsAsync(string container, LogQuery query, CancellationToken ct)
    {
        var terminal = (await Containers.InspectContainerAsync(ValidName(container), ct)).Config?.Tty is true;
        var url = new Uri(_root, $"containers/{container}/logs?{query}");
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Options.Set(new HttpRequestOptionsKey<bool>("Streamed"), true); // whatever its size
        foreach (var (name, value) in _headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await _http.SendAsync(request, ct);
        await using var stream = await answer.Content.ReadAsStreamAsync(ct);
        return await ContainerLog.ReadAsync(stream, terminal, query, ct);
    }

    /// <summary>Takes two seconds: processor use is the difference between two samples.</summary>
    public async Task<ContainerStats> StatsAsync(string container, CancellationToken ct)
    {
        ContainerStatsResponse? sample = null;
        var last = new Reports<ContainerStatsResponse>(answer => sample = answer);
        await Containers.GetContainerStatsAsync(ValidName(container), new() { Stream = false }, last, ct);
        return ContainerStats.Of(sample ?? throw EngineException.Unexpected());
    }

    /// <summary>Pulls an image and reports each status. Without tag or digest it is <c>latest</c>.</summary>
    public async Task PullAsync(string image, Action<string> report, CancellationToken ct)
    {
        var (name, tag) = SplitImage(ValidImage(image));
        var answered = false;
        await CreateImageAsync(
            new() { FromImage = name, Tag = tag },
            null,
            message =>
            {
                answered = true;
                report(message.Status ?? "");
            },
            ct
        );
        if (!answered)
        {
            throw EngineException.Unexpected();
        }
    }

    /// <summary>Pulls or imports an image. A failure in the stream, after status 200, is thrown.</summary>
    public async Task CreateImageAsync(
        ImagesCreateParameters parameters,
        Stream? files,
        Action<JSONMessage> report,
        CancellationToken ct
    )
    {
        string? failure = null;
        var messages = new Reports<JSONMessage>(message =>
        {
            failure ??= message.Error is { } error ? error.Message ?? "" : null;
            report(message);
        });
        await Images.CreateImageAsync(parameters, files, null, messages, ct);
        if (failure is not null)
        {
            throw new EngineException(global::System.Net.HttpStatusCode.OK, EngineException.OneLine(failure));
        }
    }

    /// <summary>A filter as Docker.DotNet takes it: several values of one name are alternatives.</summary>
    public static IDictionary<string, IDictionary<string, bool>> Filters(
        params IEnumerable<(string Name, string Value)> filters
    ) =>
        filters
            .GroupBy(filter => filter.Name)
            .ToDictionary(
                group => group.Key,
                IDictionary<string, bool> (group) => group.ToDictionary(filter => filter.Value, _ => true)
            );

    /// <summary>Checks a name or id, which Docker.DotNet writes into the path as it is.</summary>
    public static string ValidName(string name) =>
        IsName().IsMatch(name) && name.Length <= 255
            ? name
            : throw new ArgumentException($"'{name}' is not a valid name or ID.", nameof(name));

    /// <summary>Checks the name of an image.</summary>
    public static string ValidImage(string image) =>
        IsImage().IsMatch(image) && image.Length <= 255
            ? image
            : throw new ArgumentException($"'{image}' is not a valid image name.", nameof(image));

    /// <summary>Name and tag (or digest). A registry's port stands before a slash, a tag after the last one.</summary>
    public static (string Name, string Tag) SplitImage(string image)
    {
        var (slash, colon, at) = (image.LastIndexOf('/'), image.LastIndexOf(':'), image.IndexOf('@'));
        return at > 0 ? (image[..at], image[(at + 1)..])
            : colon > slash ? (image[..colon], image[(colon + 1)..])
            : (image, "latest");
    }

    /// <summary>Docker's own rule for names (moby, daemon/names). Ids fit it as well.</summary>
    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9_.-]*\z")]
    public static partial Regex IsName();

    /// <summary>A reference: registry, path, tag and digest (distribution/reference), or an id.</summary>
    [GeneratedRegex(
        @"\A[a-zA-Z0-9]+([._-]+[a-zA-Z0-9]+)*(:[0-9]+(?=/))?(/[a-zA-Z0-9]+([._-]+[a-zA-Z0-9]+)*)*"
            + @"(:[\w][\w.-]{0,127})?(@[a-z0-9]+:[a-fA-F0-9]{32,128})?\z"
    )]
    public static partial Regex IsImage();

    public void Dispose()
    {
        _docker.Dispose();
        _http.Dispose();
    }

    /// <summary>Reports at once: <see cref="Progress{T}"/> does so later, on another thread.</summary>
    public sealed class Reports<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }

    /// <summary>Makes Docker.DotNet use our handler instead of its own transports.</summary>
    private sealed class Transport : IDockerHandlerFactory<HttpMessageHandler>
    {
        public static readonly Transport Instance = new();

        public ResolvedTransport CreateHandler(
            HttpMessageHandler transportOptions,
            ResolvedClientOptions clientOptions,
            ILogger logger
        ) => new(transportOptions, clientOptions.Endpoint);

        public ResolvedTransport CreateHandler(ResolvedClientOptions clientOptions, ILogger logger) =>
            throw new NotSupportedException();

        public Task<WriteClosableStream> HijackStreamAsync(HttpContent content) =>
            throw new NotSupportedException("Attaching to a container is not offered.");
    }
}
