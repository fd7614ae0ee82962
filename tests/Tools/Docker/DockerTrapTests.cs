using System.Text;
using System.Text.Json;
using MinimalMcp.Tests.Container;
using Answer = MinimalMcp.Tests.Container.FakeEngine.Answer;

namespace MinimalMcp.Tests.Tools.Docker;

/// <summary>Answers of real engines (Docker 20.10 and 29.7) that are easily reported wrongly.</summary>
[Slow]
public sealed class DockerTrapTests
{
    private const string PortTaken =
        """{"message":"driver failed programming external connectivity on endpoint web (5918ed84e9d9): """
        + """Bind for 0.0.0.0:6130 failed: port is already allocated"}""";

    [Theory]
    [InlineData("GET containers/web/json", 500, "Multiple IDs found with provided prefix: 0", "more of its characters")]
    [InlineData("GET containers/web/json", 400, "multiple IDs found with provided prefix: 0", "more of its characters")]
    [InlineData("GET containers/web/logs", 501, "configured logging driver does not support reading", "keeps no log")]
    [InlineData("GET containers/web/json", 404, "No such container: web", "docker_list_containers")]
    public async Task A_refusal_of_Docker_is_explained_to_the_caller(
        string request,
        int status,
        string words,
        string fix
    )
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers[request] = new(status, JsonSerializer.Serialize(new { message = words }));
        await using var server = Start(engine);

        var error = await server.FailAsync(422, "docker_container_logs", new { container = "web" });

        Assert.Contains(words, error);
        Assert.Contains(fix, error);
        Assert.DoesNotContain("anything changed", error);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_no_outage()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["POST containers/web/start"] = new(500, PortTaken);
        await using var server = Start(engine);

        for (var call = 0; call < 12; call++)
        {
            var error = await server.FailAsync(
                422,
                "docker_container_action",
                new { action = "start", container = "web" }
            );
            Assert.Contains("publish another port", error);
        }

        Assert.Equal(3, (await ListAsync(server, "docker_list_containers", "containers")).Count);
        Assert.Equal(12, engine.Asked.Count(asked => asked == "POST containers/web/start"));
    }

    [Theory]
    [InlineData("docker_list_containers", 500, "Check whether anything changed", false)]
    [InlineData("docker_container_action", 500, "Check whether anything changed", true)]
    public async Task Only_after_a_change_the_caller_is_asked_to_check_for_one(
        string tool,
        int status,
        string words,
        bool isExpected
    )
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Always = new(status, """{"message":"it broke"}""");
        await using var server = Start(engine);

        object arguments = tool == "docker_container_action" ? new { action = "start", container = "web" } : new { };
        var error = await server.FailAsync(502, tool, arguments);

        Assert.Equal(isExpected, error.Contains(words, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("docker_list_images", "GET images/json", "images")]
    [InlineData("docker_list_volumes", "GET volumes", "volumes")]
    [InlineData("docker_list_networks", "GET networks", "networks")]
    [InlineData("docker_list_containers", "GET containers/json", "containers")]
    public async Task A_list_of_more_than_200_is_read_in_parts_as_its_note_describes(
        string tool,
        string request,
        string member
    )
    {
        await using var engine = await FakeEngine.StartAsync();
        var items = string.Join(
            ',',
            Enumerable
                .Range(1, 450)
                .Select(number =>
                    $$$"""{"Id":"{{{number:x64}}}","Name":"n{{{number}}}","Names":["/n{{{number}}}"],"RepoTags":"""
                    + $$$"""["t:{{{number}}}"],"Driver":"local"}"""
                )
        );
        engine.Answers[request] = new(200, member == "volumes" ? $$"""{"Volumes":[{{items}}]}""" : $"[{items}]");
        await using var server = Start(engine);

        var seen = new HashSet<string>();
        int? offset = 0;
        while (offset is not null)
        {
            var part = await server.CallAsync(tool, new { limit = 200, offset });
            Assert.Equal(450, part.GetProperty("count").GetInt32());
            seen.UnionWith(part.GetProperty(member).EnumerateArray().Select(item => item.GetRawText()));
            offset = part.TryGetProperty("note", out var note)
                ? int.Parse(note.GetString()!.Split("set offset to ")[1].TrimEnd('.'), null)
                : null;
        }

        Assert.Equal(450, seen.Count);
        Assert.Contains("behind the last one", (await server.CallAsync(tool, new { offset = 450 })).GetRawText());
        var name = member == "images" ? "t:449" : "n449";
        Assert.Equal(1, (await server.CallAsync(tool, new { name })).GetProperty("count").GetInt32());
    }

    [Theory]
    [InlineData("""{"action":"start","container":"crash"}""", "would be started; it is exited now")]
    [InlineData("""{"action":"stop","container":"crash"}""", "is not running; nothing would change")]
    [InlineData("""{"action":"start","container":"web"}""", "is running already; nothing would change")]
    [InlineData("""{"action":"restart","container":"web"}""", "would be restarted; it is running now")]
    [InlineData("""{"action":"remove","container":"web"}""", "is running, so it cannot be removed; stop it first")]
    [InlineData("""{"action":"remove","container":"nobody"}""", null)]
    public async Task A_dry_run_looks_whether_the_container_exists(string arguments, string? expected)
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET containers/crash/json"] = new(
            200,
            """{"Id":"fc67f550f329","State":{"Status":"exited","Running":false,"ExitCode":3},"Config":{}}"""
        );
        await using var server = Start(engine);
        var dry = System.Text.Json.Nodes.JsonNode.Parse(arguments)!.AsObject();
        dry["dry_run"] = true;

        var answer = await server.CallAsync(
            "docker_container_action",
            JsonSerializer.SerializeToElement(dry),
            status: expected is null ? 422 : 200
        );

        Assert.Contains(expected ?? "No such container: nobody", answer.GetRawText());
        Assert.DoesNotContain(engine.Asked, asked => !asked.StartsWith("GET ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dry_run_of_a_new_container_checks_the_image_and_the_name()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET images/redis:7/json"] = new(200, """{"Id":"sha256:628fe13efe86","RepoTags":["redis:7"]}""");
        await using var server = Start(engine);

        Assert.Contains(
            "docker_pull_image",
            await server.FailAsync(422, "docker_run_container", new { image = "nobody/has-this:0", dry_run = true })
        );
        Assert.Contains(
            "already a container named web",
            await server.FailAsync(
                422,
                "docker_run_container",
                new
                {
                    image = "redis:7",
                    name = "web",
                    dry_run = true,
                }
            )
        );
        Assert.Contains(
            "would be created",
            (await server.CallAsync("docker_run_container", new { image = "redis:7", dry_run = true })).GetRawText()
        );
        Assert.DoesNotContain(engine.Asked, asked => !asked.StartsWith("GET ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Numbers_and_booleans_in_a_map_of_texts_become_texts_and_other_values_are_refused_by_name()
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = Start(engine);

        await server.CallAsync(
            "docker_run_container",
            JsonElement.Parse(
                """{"image":"redis:7","environment":{"PORT":8080,"DEBUG":true,"TZ":"UTC"},"ports":"""
                    + """{"80":"0"},"command":["sleep",60]}"""
            )
        );

        var body = JsonElement.Parse(engine.Bodies.First());
        Assert.Equal("""["PORT=8080","DEBUG=true","TZ=UTC"]""", body.GetProperty("Env").GetRawText());
        Assert.Equal("""["sleep","60"]""", body.GetProperty("Cmd").GetRawText());
        foreach (
            var (map, name) in ((string, string)[])
                [
                    ("""{"environment":{"A":{"b":1}}}""", "'environment.A' must be a string"),
                    ("""{"environment":{"A":null}}""", "'environment.A' must be a string"),
                    ("""{"ports":{"80":"many"}}""", "'ports.80' must be an integer"),
                    ("""{"volumes":{"data":["/x","/y"]}}""", "'volumes.data' must be a string"),
                ]
        )
        {
            var arguments = System.Text.Json.Nodes.JsonNode.Parse(map)!.AsObject();
            arguments["image"] = "redis:7";
            Assert.Contains(
                name,
                await server.FailAsync(400, "docker_run_container", JsonSerializer.SerializeToElement(arguments))
            );
        }
    }

    [Theory]
    [InlineData("stop", "stopped")]
    [InlineData("restart", "restarted")]
    public async Task A_change_that_Docker_confirmed_is_no_failure_whatever_comes_after(string action, string result)
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.After[$"POST containers/web/{action}"] = ("GET containers/web/json", new(500, """{"message":"busy"}"""));
        await using var server = Start(engine);

        var done = await server.CallAsync("docker_container_action", new { action, container = "web" });

        Assert.Equal(result, done.GetProperty("result").GetString());
        Assert.Single(engine.Asked, asked => asked.StartsWith("POST ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_container_that_was_started_is_no_failure_whatever_comes_after()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET containers/made/json"] = new(500, """{"message":"busy"}""");
        await using var server = Start(engine);

        var ran = await server.CallAsync("docker_run_container", new { image = "redis:7" });

        Assert.Equal(("made", "started"), (ran.GetProperty("id").GetString(), ran.GetProperty("status").GetString()));
    }

    [Theory]
    [InlineData(300_000, 10)] // one line that is far longer than what is held of it
    [InlineData(20, 4900)] // far more than an answer may have
    public async Task Grep_searches_the_whole_log_however_long(int length, int lines)
    {
        await using var engine = await FakeEngine.StartAsync();
        var line = new string('x', length);
        engine.Answers["GET containers/web/logs"] = Frames(
            $"start needle 1\n{line}Needle 2{line}\n{string.Concat(Enumerable.Repeat(line + "\n", lines))}last\n"
        );
        await using var server = Start(engine);

        var found = await server.CallAsync(
            "docker_container_logs",
            new
            {
                container = "web",
                tail = 5000,
                grep = "needle",
            }
        );

        Assert.Equal(2, found.GetProperty("lines").GetInt32());
        var shown = found.GetProperty("log").GetString()!.Split('\n');
        Assert.Equal("start needle 1", shown[0]);
        var second = shown[1];
        Assert.Contains("Needle 2", second);
        Assert.InRange(second.Length, 8, 4_030);
        Assert.Equal(length > 4_000, second.StartsWith("[truncated]…", StringComparison.Ordinal));
        Assert.Equal(length > 4_000, second.EndsWith("…[truncated]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_part_of_a_log_that_did_not_fit_is_read_with_the_until_of_the_note()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET containers/web/logs"] = Frames(
            string.Concat(
                Enumerable
                    .Range(0, 1000)
                    .Select(number =>
                        $"2026-11-20T10:{number / 60:00}:{number % 60:00}.123456789Z line {number} "
                        + $"{new string('x', 90)}\n"
                    )
            )
        );
        await using var server = Start(engine);

        var log = await server.CallAsync(
            "docker_container_logs",
            new
            {
                container = "web",
                tail = 1000,
                timestamps = true,
            }
        );

        var oldest = log.GetProperty("log").GetString()!.Split('\n')[0];
        var note = log.GetProperty("note").GetString();
        // 100 nanoseconds later, as fine as a time is here: a line is rather shown twice than never.
        Assert.Contains($"set until to \"{oldest[..26]}8Z\"", note);
    }

    [Fact]
    public async Task With_until_the_newest_lines_before_it_are_counted_here_because_Docker_counts_first()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET containers/web/logs"] = Frames("one\ntwo\nthree\n");
        await using var server = Start(engine);

        var log = await server.CallAsync(
            "docker_container_logs",
            new
            {
                container = "web",
                tail = 2,
                until = "2026-11-20T10:00:00.1234567Z",
            }
        );

        Assert.Equal("two\nthree", log.GetProperty("log").GetString());
        Assert.Contains(engine.Asked, asked =>
            asked.EndsWith("&tail=all&until=1795168800.123456799", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_time_that_never_was_and_a_tag_that_is_none_are_absent()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET images/json"] = new(
            200,
            """[{"Id":"sha256:628fe13efe86","RepoTags":["<none>:<none>"],"RepoDigests":"""
                + """["<none>@<none>"],"Created":-62135596800,"Size":1}]"""
        );
        await using var server = Start(engine);

        var text =
            (await server.CallAsync("docker_list_images")).GetRawText()
            + (await server.CallAsync("docker_container_inspect", new { container = "web" })).GetRawText();

        Assert.DoesNotContain("0001-01-01", text);
        Assert.DoesNotContain("<none>", text);
    }

    private static async Task<List<JsonElement>> ListAsync(TestServer server, string tool, string member) =>
        [.. (await server.CallAsync(tool, new { all = true })).GetProperty(member).EnumerateArray()];

    private static Answer Frames(string text) => new(200, "", FakeEngine.Frames((1, Encoding.UTF8.GetBytes(text))));

    private static TestServer Start(FakeEngine engine, params (string, string)[] settings) =>
        TestServer.Start([("Docker:Url", engine.Url), .. settings]);
}
