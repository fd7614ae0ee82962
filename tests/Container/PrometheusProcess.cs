using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Tests.Container;

/// <summary>The real Prometheus, of Debian's package, with the configuration of deploy/.</summary>
internal sealed class PrometheusProcess : IAsyncDisposable
{
    private const string Install = "scripts/test fetches it, of Debian's package prometheus";

    private readonly DirectoryInfo _folder;
    private readonly Process _process;
    private readonly StringBuilder _log;
    private readonly HttpClient _http;

    private PrometheusProcess(DirectoryInfo folder, Process process, StringBuilder log, Uri url)
    {
        (_folder, _process, _log) = (folder, process, log);
        _http = new() { BaseAddress = url, Timeout = Wait.Limit };
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static string Promtool() => Needs.Program(Install, "promtool");

    /// <summary>Starts it with the text of prometheus.yml and of the rules that it names.</summary>
    public static async Task<PrometheusProcess> StartAsync(string configuration)
    {
        var program = Needs.Program(Install, "prometheus");
        var folder = Directory.CreateTempSubdirectory("prometheus");
        var file = Path.Combine(folder.FullName, "prometheus.yml");
        await File.WriteAllTextAsync(file, configuration, Stop);
        var url = new Uri($"http://127.0.0.1:{FreePort.Find()}");
        var process = Process.Start(
            new ProcessStartInfo(
                program,
                [
                    $"--config.file={file}",
                    $"--storage.tsdb.path={Path.Combine(folder.FullName, "data")}",
                    $"--web.listen-address={url.Authority}",
                ]
            )
            {
                RedirectStandardError = true,
            }
        )!;
        var log = new StringBuilder();
        process.ErrorDataReceived += (_, line) => log.Append(line.Data).Append('\n');
        process.BeginErrorReadLine();
        var prometheus = new PrometheusProcess(folder, process, log, url);
        await Wait.Until(prometheus.IsReadyAsync);
        return prometheus;
    }

    /// <summary>The current series of a query.</summary>
    public async Task<JsonElement[]> QueryAsync(string query)
    {
        using var form = new FormUrlEncodedContent([new("query", query)]);
        using var answer = await _http.PostAsync(new Uri("/api/v1/query", UriKind.Relative), form, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, $"{query}\n{text}");
        return [.. JsonElement.Parse(text).GetProperty("data").GetProperty("result").EnumerateArray()];
    }

    public async Task<string[]> MetricNamesAsync() =>
        [.. (await GetAsync("/api/v1/label/__name__/values")).EnumerateArray().Select(name => name.GetString()!)];

    public async Task<JsonElement[]> RulesAsync() =>
        [
            .. (await GetAsync("/api/v1/rules"))
                .GetProperty("groups")
                .EnumerateArray()
                .SelectMany(group => group.GetProperty("rules").EnumerateArray()),
        ];

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task<JsonElement> GetAsync(string path) =>
        JsonElement.Parse(await _http.GetStringAsync(new Uri(path, UriKind.Relative), Stop)).GetProperty("data");

    private async Task<bool> IsReadyAsync()
    {
        Assert.False(_process.HasExited, $"{_log}");
        try
        {
            using var answer = await _http.GetAsync(new Uri("/-/ready", UriKind.Relative), Stop);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
