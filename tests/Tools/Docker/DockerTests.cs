using System.Text;
using System.Text.Json;
using MinimalMcp.Tests.Container;
using MinimalMcp.Tests.Protocol;
using Answer = MinimalMcp.Tests.Container.FakeEngine.Answer;

namespace MinimalMcp.Tests.Tools.Docker;

/// <summary>What is asked of an engine, and what becomes of answers that a real one gives rarely.</summary>
[Slow]
public sealed class DockerTests
{
    // Reads whether the container was killed.
    private const string Ends =
        "GET events?since=1795170367.338721500&until=1795170367.338721500"
        + "&filters=%7B%22container%22%3A%7B%224507498168e123db3f5e0a64e3f2c1af69a11a44ec01448d2d0445d5957329fd%22"
        + "%3Atrue%7D%2C%22event%22%3A%7B%22die%22%3Atrue%7D%7D";

    /// <summary>Tool, arguments, and the questions that they become.</summary>
    public static TheoryData<string, string, string> Questions =>
        new()
        {
            { "docker_list_containers", "{}", "GET containers/json" },
            {
                "docker_list_containers",
                """{"all":true,"health":"unhealthy"}""",
                "GET containers/json?all=1&filters=%7B%22health%22%3A%7B%22unhealthy%22%3Atrue%7D%7D"
            },
            {
                "docker_list_containers",
                """{"status":"exited"}""",
                "GET containers/json?all=1&filters=%7B%22status%22%3A%7B%22exited%22%3Atrue%7D%7D"
            },
            { "docker_container_action", """{"action":"start","container":"web"}""", "POST containers/web/start" },
            {
                "docker_container_action",
                """{"action":"stop","container":"web"}""",
                "GET containers/web/json GET containers/web/json POST containers/web/stop GET containers/web/json"
            },
            {
                "docker_container_action",
                """{"action":"restart","container":"web"}""",
                "GET containers/web/json GET containers/web/json POST containers/web/restart GET containers/web/json "
                    + Ends
            },
            { "docker_container_action", """{"action":"remove","container":"web"}""", "DELETE containers/web?v=1" },
            {
                "docker_run_container",
                """{"image":"redis:7","name":"cache"}""",
                "POST containers/create?name=cache POST containers/made/start GET containers/made/json"
            },
            { "docker_list_images", "{}", "GET images/json" },
            { "docker_pull_image", """{"image":"redis"}""", "POST images/create?fromImage=redis&tag=latest" },
            {
                "docker_pull_image",
                """{"image":"ghcr.io:443/acme/web:1.2"}""",
                "POST images/create?fromImage=ghcr.io%3A443%2Facme%2Fweb&tag=1.2"
            },
            {
                "docker_container_logs",
                """{"container":"web","tail":"7"}""",
                "GET containers/web/json GET containers/web/logs?stdout=1&stderr=1&tail=7"
            },
            {
                "docker_container_logs",
                """{"container":"web","since":"1767225600","timestamps":true}""",
                "GET containers/web/json GET "
                    + "containers/web/logs?stdout=1&stderr=1&tail=100&timestamps=1&since=1767225600.000000000"
            },
            { "docker_container_inspect", """{"container":"web"}""", "GET containers/web/json" },
            { "docker_list_networks", "{}", "GET networks" },
            { "docker_list_volumes", "{}", "GET volumes" },
            {
                "docker_prune",
                """{"what":"images","dry_run":true}""",
                "GET images/json?filters=%7B%22dangling%22%3A%7B%22true%22%3Atrue%7D%7D"
            },
            {
                "docker_prune",
                """{"what":"networks","dry_run":true}""",
                "GET networks?filters=%7B%22dangling%22%3A%7B%22true%22%3Atrue%7D%7D GET containers/json"
            },
        };

    [Theory, MemberData(nameof(Questions))]
    public async Task A_tool_asks_what_the_API_knows(string tool, string arguments, string questions)
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = Start(engine);

        await server.CallAsync(tool, JsonElement.Parse(arguments));

        Assert.Equal(questions, string.Join(' ', engine.Asked));
        Assert.Empty(engine.Violations);
    }

    [Theory]
    [InlineData("1.41", "v1.41")]
    [InlineData("1.60", "v1.52")] // newer than what this was written for
    public async Task The_version_is_one_that_both_know(string theirs, string spoken)
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.ApiVersion = theirs;
        await using var server = Start(engine);

        await server.CallAsync("docker_list_networks");

        Assert.Equal(spoken, engine.Spoken);
    }

    private static string Action(string tool) => tool == "docker_container_action" ? ",\"action\":\"stop\"" : "";

    /// <summary>Arguments that no engine may ever see.</summary>
    private static List<(string Tool, string Arguments, int Status, string Part)> BadInput
    {
        get
        {
            var data = new List<(string, string, int, string)>();
            foreach (
                var name in (string[])
                    [
                        "../web",
                        "%2e%2e",
                        "a/b",
                        "a?b=c",
                        "a#b",
                        "..",
                        "-web",
                        "wéb",
                        "web\\n",
                        "web\\u0000",
                        "web\\u202e",
                        " web",
                        "http://169.254.169.254/",
                    ]
            )
            {
                foreach (
                    var tool in (string[])
                        ["docker_container_logs", "docker_container_inspect", "docker_container_action"]
                )
                {
                    data.Add(
                        (
                            tool,
                            $$"""{"container":"{{name}}"{{Action(tool)}}}""",
                            422,
                            "not a valid container name or ID"
                        )
                    );
                }
            }

            foreach (
                var image in (string[])
                    [
                        "../redis",
                        "redis:",
                        "redis:7 ",
                        "re?dis",
                        "redis#1",
                        "-redis",
                        "rédis",
                        "redis::7",
                        "http://x/redis",
                        "redis&tag=1",
                    ]
            )
            {
                data.Add(("docker_pull_image", $$"""{"image":"{{image}}"}""", 422, "not an image name"));
                data.Add(("docker_run_container", $$"""{"image":"{{image}}"}""", 422, "not an image name"));
            }

            data.Add(("docker_container_inspect", """{"container":""}""", 400, "container"));
            data.Add(("docker_container_logs", """{"container":"web","tail":0}""", 400, "tail"));
            data.Add(("docker_container_logs", """{"container":"web","tail":1e30}""", 400, "tail"));
            data.Add(
                (
                    "docker_container_logs",
                    """{"container":"web","since":"99999999999999999999"}""",
                    422,
                    "since is not a time"
                )
            );
            data.Add(("docker_container_logs", """{"container":"web","follow":true}""", 400, "follow"));
            data.Add(("docker_list_containers", """{"limit":201}""", 400, "limit"));
            data.Add(("docker_prune", """{"what":"everything"}""", 400, "what"));
            return data;
        }
    }

    [Fact]
    public async Task Bad_input_is_refused_before_anything_is_asked()
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = TestServer.Start(TestCaller.AddTo, [("Docker:Url", engine.Url)]);

        foreach (var (tool, arguments, status, part) in BadInput)
        {
            Assert.Contains(
                part,
                await server.FailAsync(status, tool, JsonElement.Parse(arguments), caller: $"{Guid.NewGuid()}")
            ); // budgets are each caller's own
        }

        Assert.Empty(engine.Asked);
    }

    [Theory]
    [InlineData("""{"volumes":{"/var/run/docker.sock":"/s"}}""", "Docker:AllowedBinds", "")]
    [InlineData("""{"volumes":{"/var/run/docker.sock":"/s"}}""", "controls the host", "/")]
    [InlineData("""{"volumes":{"/run":"/s"}}""", "controls the host", "/")]
    [InlineData("""{"volumes":{"/":"/s"}}""", "controls the host", "/")]
    [InlineData("""{"volumes":{"/etc":"/s"}}""", "those below /srv and /data", "/srv,/data")]
    [InlineData("""{"volumes":{"/srv/../etc":"/s"}}""", "not a plain folder", "/srv")]
    [InlineData("""{"volumes":{"/srv//x":"/s"}}""", "not a plain folder", "/srv")]
    [InlineData("""{"volumes":{"/srvetc":"/s"}}""", "is not allowed in a container", "/srv")]
    [InlineData("""{"volumes":{"/srv:/etc":"/s"}}""", "not a plain folder", "/srv")]
    [InlineData("""{"volumes":{"data":"/s:rw,z"}}""", "not a folder in a container", "/srv")]
    [InlineData("""{"volumes":{"data":"/"}}""", "not a folder in a container", "")]
    [InlineData("""{"volumes":{"../data":"/s"}}""", "neither a volume", "")]
    [InlineData("""{"network":"host"}""", "Docker:AllowHostNetwork", "")]
    [InlineData("""{"network":"container:web"}""", "Docker:AllowHostNetwork", "")]
    [InlineData("""{"network":"a b"}""", "not a network name", "")]
    [InlineData("""{"ports":{"80/icmp":8080}}""", "not a container port", "")]
    [InlineData("""{"ports":{"0":8080}}""", "not a container port", "")]
    [InlineData("""{"ports":{"80":70000}}""", "A host port must be from 0 to 65535", "")]
    [InlineData("""{"environment":{"A=B":"c"}}""", "not a name of an environment variable", "")]
    public async Task A_container_that_wants_too_much_is_not_made(string wants, string part, string allowed)
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = Start(engine, ("Docker:AllowedBinds", allowed));
        var arguments = System.Text.Json.Nodes.JsonNode.Parse(wants)!.AsObject();
        arguments["image"] = "redis:7";

        Assert.Contains(
            part,
            await server.FailAsync(422, "docker_run_container", JsonSerializer.SerializeToElement(arguments))
        );
        Assert.Empty(engine.Asked);
    }

    [
        Theory,
        InlineData("privileged"),
        InlineData("cap_add"),
        InlineData("devices"),
        InlineData("pid"),
        InlineData("ipc"),
        InlineData("userns"),
        InlineData("security_opt")
    ]
    public async Task There_are_no_words_for_more_rights(string word)
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = Start(engine);

        Assert.Contains(
            word,
            await server.FailAsync(
                400,
                "docker_run_container",
                new Dictionary<string, object> { ["image"] = "redis:7", [word] = true }
            )
        );
        Assert.Empty(engine.Asked);
    }

    [Fact]
    public async Task A_new_container_gains_no_rights_and_publishes_on_this_machine_only()
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = Start(engine);

        await server.CallAsync(
            "docker_run_container",
            JsonElement.Parse(
                """{"image":"redis:7","ports":{"6379":0},"volumes":{"data":"/data"},"restart":"on-failure"}"""
            )
        );

        var host = JsonElement.Parse(engine.Bodies.First()).GetProperty("HostConfig");
        Assert.Equal("no-new-privileges", host.GetProperty("SecurityOpt")[0].GetString());
        Assert.Equal(
            "127.0.0.1",
            host.GetProperty("PortBindings").GetProperty("6379/tcp")[0].GetProperty("HostIp").GetString()
        );
        Assert.Equal("data:/data", host.GetProperty("Binds")[0].GetString());
        // Docker.DotNet writes every member that is not null: what was not asked for is what Docker takes by itself.
        string[] asked = ["Binds", "NetworkMode", "PortBindings", "RestartPolicy", "SecurityOpt"];
        Assert.All(host.EnumerateObject().Where(field => !asked.Contains(field.Name)), field =>
            Assert.Contains(field.Value.GetRawText(), (string[])["false", "0", "null", "\"\"", "[]", "{}", "[0,0]"])
        );
    }

    [Fact]
    public async Task A_container_that_cannot_be_started_is_removed_again()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["POST containers/made/start"] = new Answer(
            500,
            """{"message":"driver failed: port is already allocated"}"""
        );
        engine.Answers["DELETE containers/made"] = new Answer(204, "", []);
        await using var server = Start(engine);

        Assert.Contains(
            "port is already allocated",
            await server.FailAsync(422, "docker_run_container", new { image = "redis:7" })
        );
        Assert.Contains("DELETE containers/made?v=1&force=1", engine.Asked);
    }

    /// <summary>
    /// What an answer of the engine, or of something in its place, becomes: never a success that is none.
    /// </summary>
    public static TheoryData<int, string, string, int, string> BadAnswers =>
        new()
        {
            { 200, "text/html", "<!doctype html><title>Sign in</title>", 502, "Check Docker:Url" },
            { 200, "application/json", "<html>", 502, "web page" },
            { 200, "application/json", "{\"half\":", 502, "JSON" },
            { 200, "application/json", "\"a word\"", 502, "not what the API describes" },
            { 200, "application/json", "", 502, "not what the API describes" },
            { 302, "text/html", "", 502, "Redirects are not followed" },
            {
                400,
                "text/plain",
                "client version 1.41 is too old. Minimum supported API version is 1.44",
                502,
                "too old"
            },
            { 400, "application/json", """{"message":"invalid filter"}""", 422, "invalid filter" },
            { 401, "application/json", """{"message":"no"}""", 502, "credentials" },
            { 403, "text/html", "<h1>Forbidden</h1>", 502, "web page" },
            { 404, "text/plain", "404 page not found", 502, "Check Docker:Url" },
            { 404, "application/json", """{"message":"No such container: web"}""", 422, "No such container: web" },
            {
                409,
                "application/json",
                """{"message":"You cannot remove a running container"}""",
                422,
                "running container"
            },
            { 429, "application/json", """{"message":"slow down"}""", 502, "wait a minute" },
            { 500, "application/json", """{"message":"it broke\n  at line 1"}""", 502, "it broke" },
            { 503, "", "", 502, "503" },
        };

    [Theory, MemberData(nameof(BadAnswers))]
    public async Task A_bad_answer_is_told_and_never_a_success(
        int status,
        string type,
        string body,
        int expected,
        string part
    )
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Always = new(status, type, Encoding.UTF8.GetBytes(body));
        await using var server = Start(engine);

        foreach (
            var (tool, arguments) in ((string, object)[])
                [
                    ("docker_list_containers", new { }),
                    ("docker_container_inspect", new { container = "web" }),
                    ("docker_container_logs", new { container = "web" }),
                ]
        )
        {
            Assert.Contains(part, await server.FailAsync(expected, tool, arguments));
        }

        if (body.Length > 0 || status >= 300)
        {
            Assert.NotEmpty(
                await server.FailAsync(expected, "docker_container_action", new { action = "start", container = "web" })
            );
            Assert.NotEmpty(await server.FailAsync(expected, "docker_run_container", new { image = "redis:7" }));
        }
    }

    [Fact]
    public async Task A_failure_within_a_200_is_a_failure()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["POST images/create"] = new(
            200,
            "application/json",
            Encoding.UTF8.GetBytes(
                "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"toomanyrequests: slow "
                    + "down\"},\"error\":\"toomanyrequests: slow down\"}\r\n"
            )
        );
        await using var server = Start(engine);

        Assert.Contains(
            "toomanyrequests: slow down",
            await server.FailAsync(422, "docker_pull_image", new { image = "redis:7" })
        );
    }

    /// <summary>What a container was started with, as JSON, and what is seen of it.</summary>
    public static TheoryData<string, string[]> Commands =>
        new()
        {
            {
                """["redis-server","--requirepass","hunter2 x","--appendonly","yes"]""",
                ["--requirepass", "[REDACTED]", "yes"]
            },
            { """["app","--db-password","hunter2","--verbose"]""", ["--db-password", "[REDACTED]", "--verbose"] },
            { """["app","--token","--verbose"]""", ["--token", "--verbose"] },
            { """["app","--api-key=hunter2","--port=80"]""", ["--api-key=[REDACTED]", "--port=80"] },
            { """["app","-auth","hunter2"]""", ["-auth", "[REDACTED]"] },
            {
                """["sh","-c","redis-server --requirepass hunter2 --port 6379"]""",
                ["redis-server --requirepass [REDACTED] --port 6379"]
            },
            {
                """["sh","-c","set -e; PGPASS=\"hunter2 with spaces\" psql -c x"]""",
                ["""set -e; PGPASS="[REDACTED]" psql -c x"""]
            },
            { """["sh","-c","psql --password 'hunter2 in it' -h db"]""", ["psql --password '[REDACTED]' -h db"] },
            { """["sh","-c","echo; A=1 DB_PASSWORD=hunter2\" hunter2\" x"]""", ["echo; A=1 DB_PASSWORD=[REDACTED] x"] },
            { """["env","PGPASS=hunter2 with hunter2"]""", ["PGPASS=[REDACTED]"] },
            {
                """["curl","-H","Authorization: Bearer hunter2","http://db:80/"]""",
                ["Authorization: [REDACTED]", "http://db:80/"]
            },
            {
                """["curl -H 'Authorization: Bearer hunter2' http://db:80/"]""",
                ["curl -H 'Authorization: [REDACTED]' http://db:80/"]
            },
            { """["app","postgres://ann:hunter2@db:5432/shop"]""", ["postgres://ann:[REDACTED]@db:5432/shop"] },
            { """["app","--signing-key","hunter2","http://db:5432/a@b"]""", ["http://db:5432/a@b"] },
        };

    [Theory, MemberData(nameof(Commands))]
    public async Task A_secret_in_a_command_a_label_or_a_health_check_is_hidden(string command, string[] shown)
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET containers/web/json"] = new(
            200,
            $$$"""
            {"Id":"4507498168e123db3f5e","Config":{"Image":"a","Entrypoint":{{{command}}},"Cmd":{{{command}}},
            "Labels":{"of":"--password hunter2","my.pwd":"hunter2"}},
            "State":{"Health":{"Status":"unhealthy","Log":[{"Output":"PASSWORD=hunter2"}] } } }
            """
        );
        await using var server = Start(engine);

        var seen = await server.CallAsync("docker_container_inspect", new { container = "web" });

        Assert.DoesNotContain("hunter2", seen.GetRawText());
        var words = seen.GetProperty("command").EnumerateArray().Select(word => word.GetString()).ToArray();
        Assert.All(shown, part => Assert.Contains(part, words));
    }

    [Theory]
    [InlineData("169.254.169.254/team/app:1")]
    [InlineData("169.254.169.254:5000/app")]
    [InlineData("[fe80::1]:5000/app")]
    [InlineData("metadata.google.internal/app")]
    public async Task An_image_is_not_fetched_from_a_clouds_metadata_unless_that_is_allowed(string image)
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = Start(engine);
        await using var open = Start(engine, ("Governance:AllowMetadataAddresses", "true"));

        Assert.Contains(
            "Governance:AllowMetadataAddresses",
            await server.FailAsync(400, "docker_pull_image", new { image })
        );
        Assert.Empty(engine.Asked);
        using var allowed = await open.PostAsync("/tools/docker_pull_image", JsonSerializer.Serialize(new { image }));
        Assert.DoesNotContain(
            "link-local",
            await allowed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task Pruning_waits_for_a_confirmation_and_says_what_went()
    {
        await using var engine = await FakeEngine.StartAsync();
        await using var server = Start(engine);

        var asked = await server.CallAsync("docker_prune", new { what = "containers" }, status: 202);
        Assert.All(engine.Asked, question => Assert.StartsWith("GET ", question));
        // Whoever agrees sees what would go
        Assert.True(asked.GetProperty("preview").GetProperty("dryRun").GetBoolean());
        engine.Asked.Clear();
        var report = await server.CallAsync(
            "docker_prune",
            new { what = "containers", confirmation_token = asked.GetProperty("confirmation_token").GetString() }
        );

        Assert.Equal(["POST containers/prune"], engine.Asked);
        Assert.Equal(
            ("fc67f550f329", 12),
            (report.GetProperty("removed")[0].GetString(), report.GetProperty("spaceReclaimedBytes").GetInt64())
        );
    }

    [
        Theory,
        InlineData("1.41", "POST volumes/prune"),
        InlineData("1.44", "POST volumes/prune?filters=%7B%22all%22%3A%7B%22true%22%3Atrue%7D%7D")
    ]
    public async Task Pruning_volumes_means_those_with_a_name_too_whatever_the_version(string version, string question)
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.ApiVersion = version;
        await using var server = Start(engine);

        var asked = await server.CallAsync("docker_prune", new { what = "volumes" }, status: 202);
        engine.Asked.Clear();
        await server.CallAsync(
            "docker_prune",
            new { what = "volumes", confirmation_token = asked.GetProperty("confirmation_token").GetString() }
        );

        Assert.Equal([question], engine.Asked);
    }

    [Theory]
    [InlineData("20", "POST containers/web/stop", "it did not stop within 20 seconds and was killed")]
    [InlineData("null", "POST containers/web/stop", "within 10 seconds")]
    [InlineData("600", "POST containers/web/stop?t=20", "within 20 seconds")] // longer than a call can wait
    [InlineData("-1", "POST containers/web/stop?t=20", "within 20 seconds")]
    public async Task Stopping_takes_the_container_s_own_timeout_and_says_when_it_was_killed(
        string timeout,
        string question,
        string part
    )
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET containers/web/json"] = new(
            200,
            $$$"""{"Id":"4507498168e1","State":{"Running":false,"ExitCode":137},"Config":{"StopTimeout":"""
                + $$$"""{{{timeout}}}}}"""
        );
        await using var server = Start(engine);

        var stopped = await server.CallAsync("docker_container_action", new { action = "stop", container = "web" });

        Assert.Contains(question, engine.Asked);
        Assert.Contains(part, stopped.GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_network_that_a_container_uses_is_not_previewed_whatever_the_filter_of_an_old_engine_says()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.Answers["GET networks"] = new(
            200,
            """[{"Id":"1","Name":"bridge"},{"Id":"2","Name":"labnet"},{"Id":"3","Name":"left"}]"""
        );
        engine.Answers["GET containers/json"] = new(
            200,
            """
            [{"Id":"9","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"labnet":{"NetworkID":"2"}}}}]
            """
        );
        await using var server = Start(engine);

        var report = await server.CallAsync("docker_prune", new { what = "networks", dry_run = true });

        Assert.Equal("""["left"]""", report.GetProperty("unused").GetRawText());
        Assert.False(report.TryGetProperty("removed", out _));
    }

    [Fact]
    public async Task It_is_off_although_an_engine_may_be_there()
    {
        await using var server = TestServer.Start();

        await server.FailAsync(404, "docker_list_containers");
    }

    [Theory]
    [InlineData("Docker__Url=ssh://host", "Docker:Url must be")]
    [InlineData("Docker__Url=docker.example", "Docker:Url must be")]
    [InlineData("Docker__AllowedBinds=srv", "Docker:AllowedBinds must be")]
    [InlineData("Docker__PublishAddress=localhost", "Docker:PublishAddress must be")]
    public async Task A_wrong_setting_is_told_at_the_start(string variable, string part)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string> { [variable.Split('=')[0]] = variable.Split('=')[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(part, errors);
    }

    private static TestServer Start(FakeEngine engine, params (string, string)[] settings) =>
        TestServer.Start([("Docker:Url", engine.Url), .. settings]);
}
