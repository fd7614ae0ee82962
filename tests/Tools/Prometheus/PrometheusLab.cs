using System.Runtime.CompilerServices;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>The server, and behind it a system that gives the answers of answers.json.</summary>
internal sealed record PrometheusLab(Upstream System, TestServer Server) : IAsyncDisposable
{
    public static async Task<PrometheusLab> StartAsync(params (string, string)[] settings)
    {
        var prometheus = await Upstream.StartAsync("answers.json");
        return new(prometheus, TestServer.Start([.. settings.Prepend(("Prometheus:Url", prometheus.Url))]));
    }

    /// <summary>An answer that was recorded from a real system, by the name of its file in Recorded/.</summary>
    public static string Recorded(string file, [CallerFilePath] string here = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "Recorded", file + ".json"));

    /// <summary>Answers nothing but this from now on: a recorded answer, or one that is given.</summary>
    public void Replay(string answer)
    {
        System.ForgetRecorded();
        System.Answer = answer[0] == '{' ? answer : Recorded(answer);
    }

    /// <summary>Answers nothing but this data from now on.</summary>
    public void Answer(string data)
    {
        System.ForgetRecorded();
        System.Answer = $$"""{"status":"success","data":{{data}}}""";
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await System.DisposeAsync();
    }
}
