using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using MinimalMcp.Tests.Container;
using MinimalMcp.Tests.Protocol;
using Answer = MinimalMcp.Tests.Container.FakeEngine.Answer;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>What is asked of Portainer, and what becomes of answers that a real one gives rarely.</summary>
[Slow]
public sealed class PortainerTests
{
    // Reads whether the container was killed.
    private const string Ends =
        "GET events?since=1795170367.338721500&until=1795170367.338721500"
        + "&filters=%7B%22container%22%3A%7B%224507498168e123db3f5e0a64e3f2c1af69a11a44ec01448d2d0445d5957329fd%22"
        + "%3Atrue%7D%2C%22event%22%3A%7B%22die%22%3Atrue%7D%7D";

    /// <summary>
    /// Tool, arguments, and the questions that they become; the one for the environments is left out.
    /// </summary>
    public static TheoryData<string, string, string> Questions =>
        new()
        {
            { "portainer_list_environments", "{}", "" },
            { "portainer_list_containers", "{}", "GET containers/json?all=1" },
            { "portainer_list_containers", """{"endpoint_id":3,"stack":"shop"}""", "GET containers/json?all=1" },
            { "portainer_start_container", """{"container_id":"web"}""", "POST containers/web/start" },
            {
                "portainer_stop_container",
                """{"container_id":"web"}""",
                "GET containers/web/json GET containers/web/json POST containers/web/stop GET containers/web/json"
            },
            {
                "portainer_stop_container",
                """{"container_id":"web","force":true}""",
                "GET containers/web/json POST containers/web/stop GET containers/web/json"
            },
            {
                "portainer_restart_container",
                """{"container_id":"web"}""",
                "GET containers/web/json GET containers/web/json POST containers/web/restart GET containers/web/json "
                    + Ends
            },
            {
                "portainer_get_container_logs",
                """{"container_id":"web","stream":"stderr"}""",
                "GET containers/web/json GET containers/web/logs?stdout=0&stderr=1&tail=100"
            },
            { "portainer_inspect_container", """{"container_id":"web"}""", "GET containers/web/json" },
            { "portainer_container_stats", """{"container_id":"web"}""", "GET containers/web/stats?stream=0" },
            { "portainer_list_images", "{}", "GET images/json" },
            { "portainer_list_volumes", "{}", "GET volumes" },
            { "portainer_list_networks", "{}", "GET networks" },
            { "portainer_list_stacks", "{}", "GET api/stacks GET containers/json?all=1" },
            { "portainer_list_stacks", """{"endpoint_id":3}""", "GET api/stacks GET containers/json?all=1" },
            { "portainer_get_stack", """{"stack_id":"12"}""", "GET api/stacks/12" },
            {
                "portainer_get_stack",
                """{"stack_id":12.0,"include_file":true}""",
                "GET api/stacks/12 GET api/stacks/12/file"
            },
            {
                "portainer_stop_stack",
                """{"stack_id":12}""",
                "GET api/stacks/12 GET containers/json POST api/stacks/12/stop?endpointId=3"
            },
            {
                "portainer_start_stack",
                """{"stack_id":13}""",
                "GET api/stacks/13 POST api/stacks/13/start?endpointId=3"
            },
            { "portainer_start_stack", """{"stack_id":12}""", "GET api/stacks/12" },
        };

    [Theory, MemberData(nameof(Questions))]
    public async Task A_tool_asks_what_the_APIs_know(string tool, string arguments, string questions)
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        await server.CallAsync(tool, JsonElement.Parse(arguments));

        Assert.Equal(
            questions,
            string.Join(
                ' ',
                portainer.Asked.Where(asked => !asked.StartsWith("GET api/endpoints?", StringComparison.Ordinal))
            )
        );
        Assert.Empty(portainer.Violations);
        Assert.Equal("", portainer.Spoken); // Portainer and the engine agree on the version themselves
    }

    [Fact]
    public async Task The_key_is_the_only_credential()
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        using var response = await server.PostAsync(
            "/tools/portainer_list_images",
            "{}",
            headers: [("Cookie", "portainer_api_key=x"), ("Origin", server.BaseUrl), ("X-API-Key", "callers")]
        );

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(FakeEngine.Key, portainer.Headers!["X-API-Key"].ToString());
        // Each makes Portainer answer 403
        Assert.Empty(portainer.Headers.Keys.Intersect(["Authorization", "Cookie", "Origin", "Referer"]));
    }

    [Fact]
    public async Task A_certificate_that_nobody_signed_is_taken_by_its_fingerprint_only()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=portainer", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UnixEpoch,
            DateTimeOffset.UnixEpoch.AddYears(200)
        );
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        await using var portainer = await FakeEngine.StartAsync(certificate);
        var fingerprint = string.Join(
            ':',
            certificate.GetCertHashString(HashAlgorithmName.SHA256).Chunk(2).Select(two => new string(two))
        );

        foreach (
            var (setting, taken) in ((string, bool)[])
                [("", false), (new string('a', 64), false), (fingerprint, true), ("any", true)]
        )
        {
            await using var server = TestServer.Start(
                ("Portainer:Url", portainer.Url),
                ("Portainer:Token", FakeEngine.Key),
                ("Portainer:Certificate", setting)
            );
            if (taken)
            {
                await server.CallAsync("portainer_list_images");
            }
            else
            {
                Assert.Contains("certificate", await server.FailAsync(502, "portainer_list_images"));
                Assert.Empty(portainer.Asked); // and the token was not shown
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/api/")]
    public async Task The_address_may_end_as_people_write_it(string end)
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = TestServer.Start(
            ("Portainer:Url", portainer.Url + end),
            ("Portainer:Token", FakeEngine.Key)
        );

        Assert.Equal(
            12,
            (await server.CallAsync("portainer_list_stacks", new { endpoint_id = 3 }))
                .GetProperty("stacks")[0]
                .GetProperty("id")
                .GetInt32()
        );
    }

    [Theory]
    [InlineData(
        """[{"Id":3,"Name":"one","Type":1,"Status":1},"""
            + """{"Id":7,"Name":"edge-berlin","Type":4,"Status":1,"Heartbeat":false}]""",
        "3 one (docker, up); 7 edge-berlin (docker edge agent, down)"
    )]
    [InlineData("""[{"Id":9,"Name":"cluster","Type":5,"Status":2}]""", "9 cluster (kubernetes, down)")]
    [InlineData("[]", "no environments that this token may see")]
    public async Task Without_one_environment_to_choose_the_caller_is_given_the_list(string environments, string part)
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET api/endpoints"] = new(200, environments);
        await using var server = Start(portainer);

        var told = await server.FailAsync(422, "portainer_list_containers");

        Assert.Contains("endpoint_id", told);
        Assert.Contains(part, told);
    }

    [Fact]
    public async Task The_text_of_the_containers_is_a_list_as_Docker_has_it_and_what_is_left_out_stands_beside_it()
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        var all = (await server.McpAsync("tools/call", new { name = "portainer_list_containers" })).Result;
        var some = (
            await server.McpAsync(
                "tools/call",
                new { name = "portainer_list_containers", arguments = new { limit = 1 } }
            )
        ).Result;

        var list = JsonElement.Parse(all.GetProperty("content")[0].GetProperty("text").GetString()!);
        Assert.Equal(3, list.GetArrayLength());
        var web = list.EnumerateArray().Single(one => one.GetProperty("Names").GetString() == "web");
        Assert.Equal(
            ("4507498168e1", "running", "acme/web:1", "unhealthy", "Up 3 minutes (unhealthy)"),
            (
                web.GetProperty("Id").GetString(),
                web.GetProperty("State").GetString(),
                web.GetProperty("Image").GetString(),
                web.GetProperty("Health").GetString(),
                web.GetProperty("Status").GetString()
            )
        );
        Assert.Equal(1, all.GetProperty("content").GetArrayLength());
        Assert.Equal(3, all.GetProperty("structuredContent").GetProperty("count").GetInt32());
        Assert.Equal(
            1,
            JsonElement.Parse(some.GetProperty("content")[0].GetProperty("text").GetString()!).GetArrayLength()
        );
        Assert.Contains("Entries 1 to 1 of 3", some.GetProperty("content")[1].GetProperty("text").GetString());
    }

    [Fact]
    public async Task The_lists_are_short_and_say_when_there_is_more()
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        var list = await server.CallAsync("portainer_list_containers", new { limit = 1 });

        Assert.Equal(
            (3, "crash"),
            (list.GetProperty("count").GetInt32(), list.GetProperty("containers")[0].GetProperty("name").GetString())
        );
        Assert.Contains("Entries 1 to 1 of 3", list.GetProperty("note").GetString());
        var web = (await server.CallAsync("portainer_list_containers", new { name = "WEB" })).GetProperty("containers")[
            0
        ];
        Assert.Equal(
            """{"id":"4507498168e1","name":"web","image":"acme/web:1","state":"running","status":"Up 3 minutes """
                + """(unhealthy)","health":"unhealthy","ports":"""
                + """["127.0.0.1:8080->80/tcp","9000/tcp"],"stack":"shop"}""",
            web.GetRawText()
        );
    }

    [Fact]
    public async Task Compose_projects_that_Portainer_did_not_start_are_listed_too()
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        var stacks = (await server.CallAsync("portainer_list_stacks")).GetProperty("stacks").EnumerateArray().ToArray();

        Assert.Equal(["shop", "other"], stacks.Select(stack => stack.GetProperty("name").GetString()));
        Assert.False(stacks[1].TryGetProperty("id", out _));
        Assert.Equal("active", stacks[1].GetProperty("status").GetString());
    }

    [Fact]
    public async Task No_secret_of_a_container_or_a_stack_comes_out()
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        foreach (
            var (tool, arguments) in ((string, object)[])
                [
                    ("portainer_list_environments", new { }),
                    ("portainer_list_containers", new { }),
                    ("portainer_list_stacks", new { }),
                    ("portainer_get_stack", new { stack_id = 12, include_file = true }),
                    ("portainer_inspect_container", new { container_id = "web" }),
                ]
        )
        {
            var text = (await server.CallAsync(tool, arguments)).GetRawText();
            Assert.DoesNotContain("hunter2", text);
            Assert.DoesNotContain("token=abc", text);
        }

        Assert.Contains(
            "image: acme/web:1",
            (await server.CallAsync("portainer_get_stack", new { stack_id = 12, include_file = true }))
                .GetProperty("file")
                .GetString()
        );
    }

    [Theory]
    [InlineData("portainer/portainer-ce:2.23.0")]
    [InlineData("registry.example/portainer/portainer-ee@sha256:00")]
    [InlineData("portainer/agent")]
    public async Task What_would_cut_off_the_branch_is_done_only_by_force(string image)
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/web/json"] = new(
            200,
            $$$"""{"Id":"4507498168e123db3f5e","Config":{"Image":"{{{image}}}"}}"""
        );
        await using var server = Start(portainer);

        Assert.Contains(
            "Portainer itself",
            await server.FailAsync(422, "portainer_stop_container", new { container_id = "web" })
        );
        Assert.Contains(
            "Portainer itself",
            await server.FailAsync(422, "portainer_restart_container", new { container_id = "web" })
        );
        Assert.DoesNotContain(portainer.Asked, asked => asked.StartsWith("POST", StringComparison.Ordinal));
        await server.CallAsync("portainer_stop_container", new { container_id = "web", force = true });
    }

    [Theory]
    [InlineData("""{"Image":"sha256:628fe13efe86"}""")]
    [InlineData("""{"Image":"628fe13efe86d3500147"}""")]
    [InlineData("""{"Image":"mirror.example/tools/p:1","Labels":{"org.opencontainers.image.title":"Portainer"}}""")]
    public async Task Portainer_is_known_by_its_image_whatever_name_it_was_started_by(string config)
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/web/json"] = new(
            200,
            $$$"""{"Id":"4507498168e1","Image":"sha256:628fe13efe86d350","Config":{{{config}}}}"""
        );
        portainer.Answers["GET images/sha256:628fe13efe86d350/json"] = new(
            200,
            """{"Id":"sha256:628fe13efe86d350","RepoTags":["portainer/portainer-ce:2.39.5"]}"""
        );
        await using var server = Start(portainer);

        Assert.Contains(
            "Portainer itself",
            await server.FailAsync(422, "portainer_stop_container", new { container_id = "web" })
        );
        Assert.DoesNotContain(portainer.Asked, asked => asked.StartsWith("POST", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_stack_of_Portainer_itself_is_stopped_only_by_force()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/json"] = new(
            200,
            """[{"Id":"4507498168e1","Names":["/p"],"Image":"portainer/portainer-ce:2.39.5","Labels":"""
                + """{"com.docker.compose.project":"shop"}}]"""
        );
        await using var server = Start(portainer);

        Assert.Contains(
            "contains Portainer itself",
            await server.FailAsync(422, "portainer_stop_stack", new { stack_id = 12 })
        );
        Assert.DoesNotContain(portainer.Asked, asked => asked.StartsWith("POST", StringComparison.Ordinal));
        Assert.Equal(
            "stopped",
            (await server.CallAsync("portainer_stop_stack", new { stack_id = 12, force = true }))
                .GetProperty("result")
                .GetString()
        );
    }

    [Fact]
    public async Task Stacks_of_Swarm_are_listed_and_their_containers_found()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET api/stacks"] = new(
            200,
            """[{"Id":3,"Name":"swarmy","Type":1,"EndpointId":3,"Status":1},"""
                + """{"Id":4,"Name":"elsewhere","Type":2,"EndpointId":7,"Status":1}]"""
        );
        portainer.Answers["GET containers/json"] = new(
            200,
            """[{"Id":"4507498168e1","Names":["/swarmy_web.1"],"Image":"acme/web:1","State":"running","Labels":"""
                + """{"com.docker.stack.namespace":"swarmy"}}]"""
        );
        await using var server = Start(portainer);

        var stacks = await server.CallAsync("portainer_list_stacks", new { endpoint_id = 3 });
        Assert.Equal(
            """[{"id":3,"name":"swarmy","type":"swarm","endpointId":3,"status":"active"}]""",
            stacks.GetProperty("stacks").GetRawText()
        );
        var containers = await server.CallAsync("portainer_list_containers", new { stack = "swarmy" });
        Assert.Equal(
            "swarmy",
            Assert.Single(containers.GetProperty("containers").EnumerateArray()).GetProperty("stack").GetString()
        );
    }

    [Fact]
    public async Task An_environment_that_is_down_takes_no_list_of_stacks_away()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/json"] = new(502, "", []);
        await using var server = Start(portainer);

        var stacks = await server.CallAsync("portainer_list_stacks");
        Assert.Equal(
            "shop",
            Assert.Single(stacks.GetProperty("stacks").EnumerateArray()).GetProperty("name").GetString()
        );
        Assert.Contains("cannot reach environment 3", stacks.GetProperty("note").GetString());
        Assert.Contains("cannot reach environment 3", await server.FailAsync(502, "portainer_list_containers"));
    }

    [Fact]
    public async Task The_reason_that_Portainer_gives_is_told()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["POST api/stacks/13/start"] = new(
            500,
            """{"message":"Unable to start stack","details":"Failed to deploy a stack: no such image: """
                + """lab/notthere:9"}"""
        );
        await using var server = Start(portainer);

        Assert.Contains(
            "Unable to start stack: Failed to deploy a stack: no such image",
            await server.FailAsync(502, "portainer_start_stack", new { stack_id = 13 })
        );
    }

    [Fact]
    public async Task Statistics_without_a_second_sample_claim_no_percentage()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/web/stats"] = new(
            200,
            """{"read":"2026-11-20T10:26:40Z","cpu_stats":{"cpu_usage":"""
                + """{"total_usage":600},"system_cpu_usage":2000},"precpu_stats":{"cpu_usage":"""
                + """{"total_usage":0}},"memory_stats":{"usage":10,"limit":18446744073709551615}}"""
        );
        await using var server = Start(portainer);

        var stats = await server.CallAsync("portainer_container_stats", new { container_id = "web" });

        Assert.False(stats.TryGetProperty("cpuPercent", out _));
        Assert.Equal(10, stats.GetProperty("memoryBytes").GetInt64());
    }

    [Theory]
    [InlineData("""{"inactive_file":1000}""", 9000)] // cgroup v2
    [InlineData("""{"total_inactive_file":4000,"inactive_file":1}""", 6000)] // v1
    [InlineData("{}", 10000)]
    public async Task Memory_is_without_what_is_only_cached(string memory, long expected)
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/web/stats"] = new(
            200,
            """
            {"read":"2026-11-20T10:26:40Z","cpu_stats":{"cpu_usage":{"total_usage":600,"percpu_usage":[1,2,3,4]},
              "system_cpu_usage":2000},"precpu_stats":{"cpu_usage":{"total_usage":500},"system_cpu_usage":1000},
             "memory_stats":{"usage":10000,"limit":50000,"stats":THESE}}
            """.Replace("THESE", memory, StringComparison.Ordinal)
        );
        await using var server = Start(portainer);

        var stats = await server.CallAsync("portainer_container_stats", new { container_id = "web" });

        Assert.Equal(
            (expected, 40.0),
            (stats.GetProperty("memoryBytes").GetInt64(), stats.GetProperty("cpuPercent").GetDouble())
        );
    }

    /// <summary>Bytes as an engine may send them.</summary>
    public static TheoryData<string, byte[], int, string> Logs
    {
        get
        {
            static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
            var rocket = Utf8("🚀\n");
            return new()
            {
                {
                    "a letter over two frames",
                    FakeEngine.Frames((1, rocket[..2]), (2, Utf8("warn\n")), (1, rocket[2..])),
                    200,
                    "warn\n🚀"
                },
                {
                    "a line over three frames",
                    FakeEngine.Frames((1, Utf8("on")), (1, Utf8("e li")), (1, Utf8("ne\r\n"))),
                    200,
                    "one line"
                },
                { "an empty frame", FakeEngine.Frames((1, []), (1, Utf8("x\n"))), 200, "x" },
                {
                    "what the engine itself says",
                    FakeEngine.Frames((3, Utf8("error from daemon\n"))),
                    200,
                    "error from daemon"
                },
                { "nothing", [], 200, "" },
                { "a frame that was cut", FakeEngine.Frames((1, Utf8("whole\npart")))[..^2], 200, "whole\npa" },
                { "a length of four gigabytes", [1, 0, 0, 0, 255, 255, 255, 255, .. Utf8("short")], 200, "short" },
                { "no frames", Utf8("plain text without frames\n"), 502, "does not have Docker's format" },
                { "a page", Utf8("<html><body>Sign in</body></html>"), 502, "does not have Docker's format" },
            };
        }
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_log_is_put_together_of_its_frames(string what, byte[] bytes, int status, string expected)
    {
        Assert.NotEmpty(what);
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/web/logs"] = new Answer(200, "", bytes);
        await using var server = Start(portainer);

        var answer = await server.CallAsync(
            "portainer_get_container_logs",
            new { container_id = "web" },
            status: status
        );

        Assert.Contains(
            expected,
            status == 200 ? answer.GetProperty("log").GetString() : answer.GetProperty("detail").GetString()
        );
    }

    [Fact]
    public async Task A_long_log_keeps_its_newest_lines_and_says_so()
    {
        await using var portainer = await FakeEngine.StartAsync();
        var lines = string.Concat(
            Enumerable
                .Range(1, 5000)
                .Select(number => $"{{\"line\":{number},\"message\":\"quotes \\\"take\\\" room\"}}\n")
        );
        portainer.Answers["GET containers/web/logs"] = new Answer(
            200,
            "",
            FakeEngine.Frames((1, Encoding.UTF8.GetBytes(lines)))
        );
        await using var server = Start(portainer);

        var log = await server.CallAsync("portainer_get_container_logs", new { container_id = "web", tail = 5000 });

        Assert.Contains("\"line\":5000,", log.GetProperty("log").GetString());
        Assert.Contains("older lines did not fit", log.GetProperty("note").GetString());
        Assert.InRange(log.GetRawText().Length, 20_000, 99_000);
    }

    /// <summary>Arguments that may not reach Portainer.</summary>
    private static List<(string Tool, string Arguments, int Status, string Part)> BadInput
    {
        get
        {
            var data = new List<(string, string, int, string)>();
            foreach (
                var tool in (string[])
                    [
                        "start_container",
                        "stop_container",
                        "restart_container",
                        "get_container_logs",
                        "inspect_container",
                        "container_stats",
                    ]
            )
            {
                foreach (
                    var id in (string[])
                        [
                            "../../../users",
                            "..%2f..%2fusers",
                            "%2e%2e",
                            "web/json?x=",
                            "web#",
                            "wéb",
                            "web\\u0000",
                            "-web",
                            ".",
                        ]
                )
                {
                    data.Add(
                        (
                            "portainer_" + tool,
                            $$"""{"endpoint_id":3,"container_id":"{{id}}"}""",
                            422,
                            "not a valid container name or ID"
                        )
                    );
                }

                data.Add(("portainer_" + tool, """{"endpoint_id":0,"container_id":"web"}""", 400, "endpoint_id"));
                data.Add(
                    ("portainer_" + tool, """{"endpoint_id":"3/../4","container_id":"web"}""", 400, "endpoint_id")
                );
                data.Add(
                    ("portainer_" + tool, """{"endpoint_id":99999999999,"container_id":"web"}""", 400, "endpoint_id")
                );
                data.Add(("portainer_" + tool, """{"endpoint_id":1.5,"container_id":"web"}""", 400, "endpoint_id"));
                data.Add(("portainer_" + tool, """{"endpointId":3,"container_id":"web"}""", 400, "endpointId"));
            }

            foreach (var tool in (string[])["get_stack", "start_stack", "stop_stack"])
            {
                foreach (var id in (string[])["0", "-1", "1.5", "\"../1\"", "99999999999", "null", "true"])
                {
                    data.Add(("portainer_" + tool, $$"""{"stack_id":{{id}}}""", 400, "stack_id"));
                }
            }

            return data;
        }
    }

    [Fact]
    public async Task Bad_input_is_refused_before_anything_is_asked()
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = TestServer.Start(
            TestCaller.AddTo,
            [("Portainer:Url", portainer.Url), ("Portainer:Token", FakeEngine.Key)]
        );

        foreach (var (tool, arguments, status, part) in BadInput)
        {
            Assert.Contains(
                part,
                await server.FailAsync(status, tool, JsonElement.Parse(arguments), caller: $"{Guid.NewGuid()}")
            ); // budgets are each caller's own
        }

        Assert.Empty(portainer.Asked);
    }

    /// <summary>
    /// What an answer of Portainer, or of something in its place, becomes: never a success that is none.
    /// </summary>
    public static TheoryData<int, string, string, int, string> BadAnswers =>
        new()
        {
            { 200, "text/html", "<!doctype html><title>Portainer</title>", 502, "Check Portainer:Url" },
            { 200, "application/json", "{\"half\":", 502, "JSON" },
            { 200, "application/json", "", 502, "not what" },
            { 200, "application/json", "\"a word\"", 502, "not what" },
            { 301, "text/html", "", 502, "Redirects are not followed" },
            {
                400,
                "application/json",
                """{"message":"Invalid query parameter: endpointId","details":"Missing"}""",
                422,
                "Invalid query parameter"
            },
            {
                401,
                "application/json",
                """{"message":"A valid authorization token is missing","details":"Unauthorized"}""",
                502,
                "Portainer:Token must be"
            },
            {
                403,
                "application/json",
                """{"message":"Permission denied to access environment","details":"x"}""",
                502,
                "Permission denied to access environment"
            },
            { 403, "text/html", "<h1>Forbidden</h1>", 502, "login page" },
            { 404, "text/plain", "404 page not found", 502, "Check Portainer:Url" },
            { 404, "application/json", """{"message":"No such container: web"}""", 422, "portainer_list_containers" },
            {
                409,
                "application/json",
                """{"message":"A stack with the name 'x' is already running"}""",
                422,
                "already running"
            },
            { 429, "application/json", """{"message":"slow down"}""", 502, "wait a minute" },
            {
                500,
                "application/json",
                """{"message":"Unable to get the active tunnel","details":"x"}""",
                502,
                "Unable to get the active tunnel"
            },
            { 502, "text/html", "<html>Bad gateway</html>", 502, "web page" },
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
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Always = new(status, type, Encoding.UTF8.GetBytes(body));
        await using var server = Start(portainer);

        foreach (
            var (tool, arguments) in ((string, object)[])
                [
                    ("portainer_list_containers", new { endpoint_id = 3 }),
                    ("portainer_inspect_container", new { endpoint_id = 3, container_id = "web" }),
                    ("portainer_get_container_logs", new { endpoint_id = 3, container_id = "web" }),
                    ("portainer_list_stacks", new { endpoint_id = 3 }),
                    ("portainer_stop_stack", new { stack_id = 12 }),
                    ("portainer_list_environments", new { }),
                ]
        )
        {
            Assert.Contains(part, await server.FailAsync(expected, tool, arguments));
        }

        if (body.Length > 0 || status >= 300)
        {
            Assert.NotEmpty(
                await server.FailAsync(
                    expected,
                    "portainer_start_container",
                    new { endpoint_id = 3, container_id = "web" }
                )
            );
        }
    }

    [Fact]
    public async Task A_stack_that_did_not_become_what_was_asked_is_no_success()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["POST api/stacks/12/stop"] = new(
            200,
            """{"Id":12,"Name":"shop","Type":2,"EndpointId":3,"Status":1,"CreationDate":0}"""
        );
        await using var server = Start(portainer);

        Assert.Contains(
            "the stack shop is active",
            await server.FailAsync(502, "portainer_stop_stack", new { stack_id = 12 })
        );
    }

    [Fact]
    public async Task Off_is_not_listed_and_the_names_of_the_guides_turn_it_on()
    {
        await using var server = TestServer.Start();
        await server.FailAsync(404, "portainer_list_containers");

        await using var process = ServerProcess.Start(
            ["--stdio"],
            new Dictionary<string, string>
            {
                ["APP_PORTAINER__URL"] = "http://127.0.0.1:1",
                ["APP_PORTAINER__TOKEN"] = "ptr_0123456789abcdef",
            }
        );
        var (_, _, errors) = await process.EndAsync();

        Assert.Contains("portainer    15 tools", errors);
    }

    [Theory]
    [InlineData("Portainer__Url=portainer.example.com", "Portainer:Url")]
    [InlineData("Portainer__Url=https://portainer.example.com", "Portainer:Token (APP_PORTAINER__TOKEN) is missing")]
    [InlineData("Portainer__Url=https://ann:secret@portainer.example.com", "Portainer:Url")]
    [InlineData("Portainer__PublicUrl=ftp://containers.example.com", "Portainer:PublicUrl must be")]
    [InlineData("Portainer__Token=two words", "Portainer:Token must be")]
    [InlineData("Portainer__Certificate=abc", "Portainer:Certificate must be")]
    public async Task A_wrong_setting_is_told_at_the_start(string variable, string part)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string> { [variable.Split('=')[0]] = variable.Split('=')[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(part, errors);
    }

    private static TestServer Start(FakeEngine portainer) =>
        TestServer.Start(("Portainer:Url", portainer.Url), ("Portainer:Token", FakeEngine.Key));
}
