using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

public sealed partial class EngineClient
{
    /// <summary>Which containers to list. Docker's own filters: status, health, name, label, ancestor.</summary>
    public async Task<IReadOnlyList<ContainerSummary>> ContainersAsync(bool all, CancellationToken cancellation, params IEnumerable<(string Name, string Value)> filters)
    {
        var filter = filters.Any() ? "&" + Filters(filters) : "";
        return await GetAsync<List<ContainerSummary>>($"containers/json?all={(all ? "1" : "0")}{filter}", cancellation);
    }

    public Task<ContainerDetails> ContainerAsync(string container, CancellationToken cancellation) => GetAsync<ContainerDetails>($"containers/{Name(container)}/json", cancellation);

    /// <summary>False when it was running already.</summary>
    public Task<bool> StartAsync(string container, CancellationToken cancellation) => ChangeAsync(HttpMethod.Post, $"containers/{Name(container)}/start", cancellation);

    /// <summary>False when it was not running. Its process gets so many seconds to end by itself.</summary>
    public Task<bool> StopAsync(string container, int seconds, CancellationToken cancellation) => ChangeAsync(HttpMethod.Post, $"containers/{Name(container)}/stop?t={Number(seconds)}", cancellation);

    public Task<bool> RestartAsync(string container, int seconds, CancellationToken cancellation) => ChangeAsync(HttpMethod.Post, $"containers/{Name(container)}/restart?t={Number(seconds)}", cancellation);

    /// <param name="container">Its name or id.</param>
    /// <param name="force">Also when it runs.</param>
    /// <param name="volumes">With its anonymous volumes, which nobody would find again.</param>
    /// <param name="cancellation">Ends the waiting, not the removal.</param>
    public Task<bool> RemoveAsync(string container, bool force, bool volumes, CancellationToken cancellation) =>
        ChangeAsync(HttpMethod.Delete, $"containers/{Name(container)}?force={(force ? "1" : "0")}&v={(volumes ? "1" : "0")}", cancellation);

    /// <summary>Makes a container and gives its id. It does not run yet.</summary>
    public async Task<string> CreateAsync(string? name, object configuration, CancellationToken cancellation)
    {
        var made = await PostAsync(name is null ? "containers/create" : $"containers/create?name={Name(name)}", configuration, cancellation);
        return made.ValueKind is JsonValueKind.Object && made.TryGetProperty("Id", out var id) ? id.GetString()! : throw new EngineException(HttpStatusCode.OK, "no id of a new container");
    }

    /// <summary>Waits until it has ended, and gives its exit code.</summary>
    public async Task<int> WaitAsync(string container, CancellationToken cancellation) =>
        (await PostAsync($"containers/{Name(container)}/wait", null, cancellation)).GetProperty("StatusCode").GetInt32();

    /// <summary>Writes files into a container, also before it starts; the folder must be there.</summary>
    public Task CopyAsync(string container, string folder, TarContent files, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Put, $"containers/{Name(container)}/archive?path={Uri.EscapeDataString(folder)}", files, cancellation);

    /// <summary>What a container printed so far. Asks first whether it has a terminal: nothing in the answer of an older engine says so.</summary>
    public async Task<EngineLog> LogsAsync(string container, LogQuery query, CancellationToken cancellation)
    {
        var terminal = (await ContainerAsync(container, cancellation)).Config?.Tty is true;
        using var response = await OpenAsync(HttpMethod.Get, $"containers/{Name(container)}/logs?{query}", null, cancellation);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        return await EngineLog.ReadAsync(stream, terminal, query.MaxCharacters, cancellation);
    }

    /// <summary>Takes two seconds: without a second sample nobody knows how much of the processor it uses.</summary>
    public async Task<ContainerStats> StatsAsync(string container, CancellationToken cancellation) =>
        ContainerStats.Of(await GetAsync($"containers/{Name(container)}/stats?stream=false", cancellation));

    /// <summary>What happens, as it happens; without an end unless the query names one (<c>until</c>).</summary>
    public IAsyncEnumerable<JsonElement> EventsAsync(string query, CancellationToken cancellation) => LinesAsync(HttpMethod.Get, "events?" + query, null, cancellation);

    /// <summary>A name or an id as it may stand in a path. Nothing else than the engine's own names gets there: no slash, no dots alone, no escapes.</summary>
    private static string Name(string name) => IsName().IsMatch(name) && name.Length <= 255 ? name : throw new ArgumentException($"'{name}' is no name or id.", nameof(name));

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The engine's own rule for names (moby, daemon/names). Ids fit it as well.</summary>
    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9_.-]*\z")]
    public static partial Regex IsName();
}

/// <summary>Which lines of a log.</summary>
public sealed record LogQuery
{
    public bool Stdout { get; init; } = true;

    public bool Stderr { get; init; } = true;

    /// <summary>The newest so many lines, of both streams together; null for all.</summary>
    public int? Tail { get; init; }

    public bool Timestamps { get; init; }

    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    /// <summary>When there is more, the oldest lines go.</summary>
    public int MaxCharacters { get; init; } = 1 << 20;

    public override string ToString() =>
        $"stdout={(Stdout ? 1 : 0)}&stderr={(Stderr ? 1 : 0)}&tail={(Tail is { } tail ? tail.ToString(CultureInfo.InvariantCulture) : "all")}"
        + (Timestamps ? "&timestamps=1" : "") + Time("since", Since) + Time("until", Until);

    // Seconds with nanoseconds after the point: whole ones would repeat lines of the same second.
    private static string Time(string name, DateTimeOffset? time) =>
        time is { } at ? string.Create(CultureInfo.InvariantCulture, $"&{name}={at.ToUnixTimeMilliseconds() / 1000}.{at.ToUnixTimeMilliseconds() % 1000:000}000000") : "";
}
