using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using MinimalMcp.Engine;
using MinimalMcp.Tests.Container;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.EndToEnd;

/// <summary>
/// The Portainer that the tests ask: the one that the environment names (E2E_PORTAINER_URL, E2E_PORTAINER_KEY), else a
/// real one as a container where its image is present or can be pulled, else the stand-in as a container. All are
/// in front of the lab's Docker, and a container of ours is on the lab's network.
/// </summary>
internal sealed record PortainerContainer(Uri Url, string Key, bool IsStandIn, string What)
{
    private const string Official = "portainer/portainer-ce:2.39.5-alpine"; // as in deploy/compose.yaml
    private const int Port = 9000;

    public static async Task<PortainerContainer> StartAsync(Lab lab, CancellationToken ct)
    {
        if (
            Environment.GetEnvironmentVariable("E2E_PORTAINER_URL") is { Length: > 0 } url
            && Environment.GetEnvironmentVariable("E2E_PORTAINER_KEY") is { Length: > 0 } key
        )
        {
            return new(new(url), key, false, $"the real one at {url}");
        }

        var named = Environment.GetEnvironmentVariable("E2E_PORTAINER_IMAGE");
        var image = string.IsNullOrEmpty(named) ? Official : named;
        var origin = await LabImage.FindOfficialAsync(lab.Engine, image, ct);
        var isHad = origin is not null || string.IsNullOrEmpty(named);
        Assert.True(isHad, $"E2E_PORTAINER_IMAGE names {named}, which cannot be had.");
        return origin is null ? await StandInAsync(lab, ct) : await RealAsync(lab, image, origin, ct);
    }

    private static async Task<PortainerContainer> RealAsync(Lab lab, string image, string origin, CancellationToken ct)
    {
        var id = await CreateAsync(lab, image, ["-H", "unix:///var/run/docker.sock", "--http-enabled"], [], null, ct);
        await lab.Engine.Containers.StartContainerAsync(id, new(), ct);
        // The cookie of a sign-in beside a token makes it check where the request came from.
        using var handler = new SocketsHttpHandler { UseCookies = false };
        using var http = new HttpClient(handler) { BaseAddress = await lab.UrlAsync(id, Port) };
        var version = await ReadyAsync(lab, id, http);

        // What a person does at the first start: an administrator, a sign-in, and an access token of My account.
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        var admin = await PostAsync(http, "api/users/admin/init", new { Username = "admin", Password = password }, ct);
        var signedIn = await PostAsync(http, "api/auth", new { username = "admin", password }, ct);
        http.DefaultRequestHeaders.Authorization = new("Bearer", signedIn.GetProperty("jwt").GetString());
        var token = await PostAsync(
            http,
            $"api/users/{admin.GetProperty("Id")}/tokens",
            new { description = "tests", password },
            ct
        );
        await Lab.UntilAsync(
            () => http.GetFromJsonAsync<JsonElement>("api/endpoints?excludeSnapshots=true", ct),
            environments => environments.GetArrayLength() == 1,
            "Portainer has the environment of its own Docker"
        );
        var key = token.GetProperty("rawAPIKey").GetString()!;
        return new(http.BaseAddress, key, false, $"a real one, version {version} ({origin})");
    }

    private static async Task<PortainerContainer> StandInAsync(Lab lab, CancellationToken ct)
    {
        // The runtime image of the Dockerfile, which is made of this machine's .NET where it cannot be pulled.
        var (exitCode, output, errors) = await Shell.RunAsync(
            "bash tests/Container/base-images runtime",
            ("DOCKER_HOST", lab.Socket)
        );
        Assert.True(exitCode == 0, $"{output}\n{errors}");
        var runtime = File.ReadLines(Path.Combine(Clients.ClientProcess.Root, "Dockerfile"))
            .First(line => line.StartsWith("ARG RUNTIME_IMAGE=", StringComparison.Ordinal))
            .Split('=')[1];

        var key = "ptr_" + Guid.NewGuid().ToString("N"); // of this run alone
        string[] environment = [$"STAND_IN_KEY={key}", $"STAND_IN_LABEL={Lab.Label}={lab.Run}"];
        var id = await CreateAsync(lab, runtime, [], environment, ["dotnet", "/app/PortainerStandIn.dll"], ct);
        var program = typeof(PortainerStandIn.Answers).Assembly.Location;
        await using (
            var files = await Tar.PackAsync(
                async (tar, stop) =>
                {
                    foreach (var file in (string[])[program, Path.ChangeExtension(program, ".runtimeconfig.json")])
                    {
                        await tar.WriteEntryAsync(file, "app/" + Path.GetFileName(file), stop);
                    }
                },
                ct
            )
        )
        {
            await lab.Engine.Containers.ExtractArchiveToContainerAsync(id, new() { Path = "/" }, files, ct);
        }

        await lab.Engine.Containers.StartContainerAsync(id, new(), ct);
        using var http = new HttpClient { BaseAddress = await lab.UrlAsync(id, Port) };
        var version = await ReadyAsync(lab, id, http);
        return new(
            http.BaseAddress,
            key,
            true,
            $"a stand-in for {version} as a container in front of the real Docker"
                + $" ({Official} cannot be had here; E2E_PORTAINER_IMAGE, or E2E_PORTAINER_URL and _KEY, name a"
                + " real one)"
        );
    }

    private static async Task<string> CreateAsync(
        Lab lab,
        string image,
        string[] arguments,
        string[] environment,
        string[]? program,
        CancellationToken ct
    )
    {
        var made = await lab.Engine.Containers.CreateContainerAsync(
            new()
            {
                Name = $"portainer-{lab.Run}",
                Image = image,
                User = "0", // whoever may open Docker's socket
                Entrypoint = program!,
                Cmd = arguments,
                Env = environment,
                Labels = new Dictionary<string, string> { [Lab.Label] = lab.Run },
                ExposedPorts = new Dictionary<string, Docker.DotNet.Models.EmptyStruct> { [$"{Port}/tcp"] = default },
                HostConfig = new()
                {
                    Binds = [$"{lab.Address.Socket}:/var/run/docker.sock"],
                    NetworkMode = lab.Network,
                    PortBindings = Lab.Published(Port),
                },
                NetworkingConfig = lab.KnownAs("portainer"),
            },
            ct
        );
        return made.ID;
    }

    private static async Task<string> ReadyAsync(Lab lab, string id, HttpClient http)
    {
        try
        {
            var status = await Lab.UntilAsync(
                () => http.GetFromJsonAsync<JsonElement>("api/system/status"),
                answer => answer.TryGetProperty("Version", out _),
                "Portainer answers"
            );
            return status.GetProperty("Version").GetString()!;
        }
        catch (TimeoutException late)
        {
            var log = await lab.Engine.LogsAsync(id, new(), CancellationToken.None);
            throw new TimeoutException($"{late.Message}\n{log}", late);
        }
    }

    private static async Task<JsonElement> PostAsync(HttpClient http, string path, object body, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(path, body, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        var isDone = answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created;
        Assert.True(isDone, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonElement.Parse(text);
    }
}
