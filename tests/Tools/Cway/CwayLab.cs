using System.Net.Http.Headers;
using System.Text.Json;
using CwaySample;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>Our server in front of the Cway of samples/cway, which refuses what Cway's schema does not know.</summary>
internal sealed class CwayLab : IAsyncDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("cway-data");

    private CwayLab(CwayServer cway) => Cway = cway;

    public CwayServer Cway { get; }

    public TestServer Server { get; private set; } = null!;

    public string Data => _data.FullName;

    public (string, string)[] Settings =>
        [
            ("Cway:Url", $"{Cway.Url}"),
            ("Cway:Token", Cway.Token),
            ("Cway:MaxRetries", "1"), // a failure that a test makes is no accident that passes
            ("Cway:DataFolder", Data),
            ("Cway:Targets:backup:Platform", "file"),
            ("Cway:Targets:backup:File", "cway.jsonl"),
        ];

    public static async Task<CwayLab> StartAsync(
        CwayServerOptions? options = null,
        Action<IServiceCollection>? services = null,
        params (string, string)[] settings
    )
    {
        var lab = new CwayLab(await CwayServer.StartAsync(options, TestContext.Current.CancellationToken));
        lab.Server = TestServer.Start(services, [.. lab.Settings, .. settings]);
        return lab;
    }

    public Project Project(Func<Project, bool> which) => Cway.Workspace.Projects.First(which);

    public Project Open => Project(project => project.State is ProjectState.IN_PROGRESS);

    public Artwork Artwork(ArtworkState state) => Cway.Workspace.Artworks.First(artwork => artwork.State == state);

    public Task<JsonElement> CallAsync(string tool, object? arguments = null) =>
        Server.CallAsync("cway_" + tool, arguments);

    /// <summary>A call that is confirmed: the first answer has the token, the second call is made with it.</summary>
    public async Task<JsonElement> ConfirmAsync(string tool, Dictionary<string, object> arguments, string token)
    {
        arguments["confirmation_token"] = token;
        return await CallAsync(tool, arguments);
    }

    /// <summary>Asks a REST route with the token of Cway.</summary>
    public async Task<(int Status, JsonElement Body)> GetAsync(string path, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token ?? Cway.Token);
        using var response = await Server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, JsonElement.Parse(body));
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Cway.DisposeAsync();
        _data.Delete(recursive: true);
    }
}
