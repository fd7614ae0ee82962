namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>
/// The server, and behind it Grafana: the real one that E2E_GRAFANA_URL and E2E_GRAFANA_KEY name, or a stand-in.
/// </summary>
internal sealed record GrafanaLab(FakeGrafana? Fake, TestServer Server) : IAsyncDisposable
{
    public static async Task<GrafanaLab> StartAsync()
    {
        if (
            Environment.GetEnvironmentVariable("E2E_GRAFANA_URL") is { Length: > 0 } url
            && Environment.GetEnvironmentVariable("E2E_GRAFANA_KEY") is { Length: > 0 } key
        )
        {
            return new(null, TestServer.Start(("Grafana:Url", url), ("Grafana:Token", key)));
        }

        var fake = await FakeGrafana.StartAsync();
        return new(fake, Start(fake));
    }

    /// <summary>For what a real one cannot be brought to.</summary>
    public static async Task<GrafanaLab> StartFakeAsync(params (string, string)[] settings)
    {
        var fake = await FakeGrafana.StartAsync();
        return new(fake, Start(fake, settings));
    }

    /// <summary>The requests that were sent since the last look.</summary>
    public Upstream.Question[] Asked()
    {
        var asked = Fake!.System.Asked.ToArray();
        Fake.System.Asked.Clear();
        return asked;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        if (Fake is not null)
        {
            await Fake.DisposeAsync();
        }
    }

    private static TestServer Start(FakeGrafana fake, params (string, string)[] settings) =>
        TestServer.Start([("Grafana:Url", fake.System.Url), ("Grafana:Token", FakeGrafana.Token), .. settings]);
}
