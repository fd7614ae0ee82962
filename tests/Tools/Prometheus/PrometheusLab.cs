namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>The server, and behind it a system that gives the answers of answers.json.</summary>
internal sealed record PrometheusLab(Upstream System, TestServer Server) : IAsyncDisposable
{
    public static async Task<PrometheusLab> StartAsync(params (string, string)[] settings)
    {
        var prometheus = await Upstream.StartAsync("answers.json");
        return new(prometheus, TestServer.Start([.. settings.Prepend(("Prometheus:Url", prometheus.Url))]));
    }

    /// <summary>Answers nothing but this from now on.</summary>
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
