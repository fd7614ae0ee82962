using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Engine;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Container;

/// <summary>The Dockerfile builds, and what it builds runs as docs/operate/container.md says.</summary>
[Slow(Minutes = true)]
[Collection(nameof(BuiltImages))]
public sealed class ImageTests(BuiltImage image, ITestOutputHelper output)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void The_builder_is_sent_sources_only()
    {
        var files = new BuildContext(ClientProcess.Root).Files().ToArray();

        Assert.Contains("Program.cs", files);
        Assert.All(files, file =>
            Assert.True(
                Path.GetExtension(file)
                    is ".cs"
                        or ".json"
                        or ".csproj"
                        or ".props"
                        or ".editorconfig"
                        or ".html"
                        or ".css"
                        or ".js"
                        or ".svg"
                        or ".sql"
                        or ".graphql"
                    || file == "LICENSE",
                file
            )
        );
        Assert.DoesNotContain(files, file =>
            file.StartsWith("tests/", StringComparison.Ordinal) || file.Contains("/obj/", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task It_starts_as_an_ordinary_user_with_nothing_to_write_to()
    {
        await using var container = await image.StartAsync(RunningContainer.WithKey);
        await container.HealthyAsync();

        var user = (await image.Engine.Images.InspectImageAsync(image.Name, Cancellation)).Config!.User;
        Assert.Equal("1654", user);
        Assert.All(await container.ProcessesAsync(), process => Assert.Equal(user, process.User));
        Assert.True((await container.InspectAsync()).HostConfig!.ReadonlyRootfs);
    }

    [Fact]
    public async Task It_answers_calls_of_those_who_have_the_key()
    {
        await using var container = await image.StartAsync(RunningContainer.WithKey);
        using var http = await container.HealthyAsync();

        // Those that only read and need no argument: a project made from this one may have other families, or none yet.
        var list = await http.GetFromJsonAsync<JsonElement>("/tools", Cancellation);
        var tools = list.GetProperty("tools")
            .EnumerateArray()
            .Where(tool =>
                tool.GetProperty("readOnly").GetBoolean()
                && tool.GetProperty("inputSchema").GetProperty("required").GetArrayLength() == 0
            )
            .Select(tool => tool.GetProperty("name").GetString()!)
            .ToArray();
        foreach (var tool in tools)
        {
            using var rest = await http.PostAsJsonAsync($"/tools/{tool}", new { }, Cancellation);
            Assert.Equal(HttpStatusCode.OK, rest.StatusCode);
            var mcp = await McpAnswer.ReadAsync(await http.PostAsJsonAsync("/mcp", Wire.Call(tool), Cancellation));
            Assert.False(mcp.IsError, mcp.Text);
        }

        http.DefaultRequestHeaders.Authorization = null;
        using var closed = await http.PostAsJsonAsync("/mcp", Wire.Call("any"), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, closed.StatusCode);
    }

    [Fact]
    public async Task It_serves_the_API_explorer_with_its_script()
    {
        await using var container = await image.StartAsync(RunningContainer.WithKey);
        using var http = await container.HealthyAsync();

        var page = await http.GetStringAsync(new Uri("/scalar/", UriKind.Relative), Cancellation);
        var script = Regex.Match(page, "<script src=\"([^\"]*scalar[^\"]*)\"").Groups[1].Value;
        Assert.NotEqual("", script);
        var bytes = await http.GetByteArrayAsync(new Uri($"/scalar/{script}", UriKind.Relative), Cancellation);
        Assert.InRange(bytes.Length, 1_000_000, 10_000_000);
    }

    [Fact]
    public async Task With_the_settings_of_compose_Prometheus_may_ask_it()
    {
        await using var container = await image.StartAsync(ComposeTests.ServerEnvironment(RunningContainer.Key));
        using var http = await container.HealthyAsync();
        http.DefaultRequestHeaders.Host = "minimal-mcp:3001";

        Assert.Contains(
            "mcp_server_uptime_seconds",
            await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancellation),
            StringComparison.Ordinal
        );

        http.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await http.GetAsync(new Uri("/metrics", UriKind.Relative), Cancellation)).StatusCode
        );
    }

    [Fact]
    public async Task It_ends_by_itself_though_an_event_stream_is_open()
    {
        await using var container = await image.StartAsync(RunningContainer.WithKey);
        using var http = await container.HealthyAsync();
        using var stream = new StreamReader(await http.GetStreamAsync(new Uri("/sse", UriKind.Relative), Cancellation));
        Assert.Equal("event: endpoint", await Wait.Soon(stream.ReadLineAsync(Cancellation).AsTask()));

        var took = await container.StopAsync();

        output.WriteLine($"It ended {took.TotalMilliseconds:0} ms after the signal.");
        Assert.Equal(0, await container.ExitCodeAsync());
    }

    [Fact]
    public async Task The_load_test_measures_a_container_of_it_and_leaves_none()
    {
        await image.BuildAsync();
        var start = new ProcessStartInfo(
            "dotnet",
            [
                typeof(Load.Options).Assembly.Location,
                "--image",
                image.Name,
                "--network",
                image.Network,
                "--seconds",
                "2",
                "--only",
                "lists,streams",
                "--no-defaults",
                "--threshold",
                "*.fail <= 0 %",
                "--threshold",
                "lists.ok > 0",
                "--out",
                Directory.CreateTempSubdirectory("load-image").FullName,
            ]
        );
        start.Environment["DOCKER_HOST"] = $"unix://{Needs.Docker().Socket}";
        var (exitCode, said, errors) = await ClientProcess.RunAsync(start);

        Assert.True(exitCode == 0, said + errors);
        Assert.Contains(image.Name, said, StringComparison.Ordinal);
        var ofIt = EngineClient.Filters(("ancestor", image.Name));
        Assert.Empty(
            await image.Engine.Containers.ListContainersAsync(new() { All = true, Filters = ofIt }, Cancellation)
        );
    }

    [Fact]
    public async Task Without_authentication_it_does_not_start_and_says_what_to_set()
    {
        // whatever the project's own settings say
        await using var container = await image.StartAsync("MCP_AUTH_MODE=none");

        Assert.Equal(1, await container.ExitCodeAsync());
        Assert.Contains(
            "Set MCP_AUTH_MODE to api-key and MCP_API_KEY to a key",
            await container.LogsAsync(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task It_adds_little_to_its_base_and_says_what_it_is()
    {
        await image.BuildAsync();

        var inspected = await image.Engine.Images.InspectImageAsync(image.Name, Cancellation);
        var ours = (await image.Engine.Images.GetImageHistoryAsync(image.Name, Cancellation))
            // our first instruction
            .TakeWhile(layer => !layer.CreatedBy.Contains("VERSION=", StringComparison.Ordinal))
            .Sum(layer => layer.Size);
        var sizes = string.Create(
            CultureInfo.InvariantCulture,
            $"image {inspected.Size / 1e6:0.0} MB, of which the server {ours / 1e6:0.0} MB"
        );
        output.WriteLine(sizes);
        var folder = Directory.CreateDirectory(Path.Combine(ClientProcess.Root, "artifacts", "container"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "size.txt"), sizes + "\n", Cancellation);

        // Eight are code that was compiled ahead of time, four Docker.DotNet, two the explorer, two SQLite (37 for
        // every platform); more would be a native library that came along unseen, or a package that is compiled for
        // nothing.
        Assert.InRange(ours, 1, 30_000_000);
        var labels = inspected.Config!.Labels;
        Assert.Equal(
            ("MinimalMcp", "MIT"),
            (labels!["org.opencontainers.image.title"], labels["org.opencontainers.image.licenses"])
        );
        Assert.Equal(WellKnown.ServerIdentity.Version, labels["org.opencontainers.image.version"]);
    }
}
