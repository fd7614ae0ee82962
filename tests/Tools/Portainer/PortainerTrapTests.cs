using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>Answers of a real Portainer (CE 2.23) that are easily reported wrongly.</summary>
public sealed class PortainerTrapTests
{
    [Fact]
    public async Task An_environment_that_is_down_takes_no_other_away()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Down.Add("7");
        await using var server = Start(portainer);

        for (var call = 0; call < 15; call++)
        {
            await server.FailAsync(502, "portainer_list_containers", new { endpoint_id = 7 });
        }

        Assert.Contains(
            "Portainer environment 7 failed most requests",
            await server.FailAsync(502, "portainer_list_images", new { endpoint_id = 7 })
        );
        Assert.Equal(
            3,
            (await server.CallAsync("portainer_list_containers", new { endpoint_id = 3 }))
                .GetProperty("count")
                .GetInt32()
        );
        Assert.Equal(2, (await server.CallAsync("portainer_list_environments")).GetProperty("count").GetInt32());
        Assert.Contains(
            "shop",
            (await server.CallAsync("portainer_list_stacks", new { endpoint_id = 3 })).GetRawText()
        );
    }

    [Theory]
    [InlineData(502, "", "its Docker Engine or agent does not answer")]
    [InlineData(
        500,
        """{"message":"No Edge agent registered with the environment","details":"No agent available"}""",
        "No Edge agent registered with the environment: No agent available"
    )]
    [InlineData(
        500,
        """{"message":"Unable to proxy the request via the Docker socket","details":"dial unix """
            + """/var/run/docker.sock"}""",
        "Unable to proxy the request via the Docker socket: dial unix /var/run/docker.sock"
    )]
    public async Task An_environment_that_is_down_is_reported_with_what_to_do(int status, string body, string reason)
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/json"] = body.Length == 0 ? new(status, "", []) : new(status, body);
        await using var server = Start(portainer);

        var error = await server.FailAsync(502, "portainer_list_containers", new { endpoint_id = 3 });

        Assert.Contains("Portainer cannot reach environment 3: " + reason, error);
        Assert.Contains("Start Docker or the agent there", error);
        Assert.DoesNotContain("anything changed", error);
    }

    [Fact]
    public async Task The_reason_at_the_end_of_long_details_is_shown()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["POST api/stacks/13/start"] = new(
            500,
            """{"message":"Unable to start stack","details":"Failed to deploy a stack: The Docker Engine you're """
                + """using is running in swarm mode.\n\nCompose does not use swarm mode to deploy services to """
                + """multiple nodes in a swarm. All containers will be scheduled on the current node.\n\nTo deploy """
                + """your application across the swarm, use `docker stack deploy`.\n\nPulling api """
                + """(lab/notthere:9)...\nGet \"https://registry.example/v2/\": dial tcp: lookup """
                + """registry.example: no such host\n"}"""
        );
        await using var server = Start(portainer);

        Assert.Contains(
            "lookup registry.example: no such host",
            await server.FailAsync(502, "portainer_start_stack", new { stack_id = 13 })
        );
    }

    [Fact]
    public async Task A_large_stack_file_is_read_in_parts_as_its_note_describes()
    {
        await using var portainer = await FakeEngine.StartAsync();
        var file =
            "services:\n" + string.Concat(Enumerable.Range(1, 4000).Select(number => $"  s{number}: {{ image: a }}\n"));
        portainer.Answers["GET api/stacks/12/file"] = new(
            200,
            JsonSerializer.Serialize(new { StackFileContent = file + "  db: { DB_PASSWORD: hunter2 }\n" })
        );
        await using var server = Start(portainer);

        var read = "";
        int? file_offset = 0;
        while (file_offset is not null)
        {
            var part = await server.CallAsync(
                "portainer_get_stack",
                new
                {
                    stack_id = 12,
                    include_file = true,
                    file_offset,
                }
            );
            read += part.GetProperty("file").GetString();
            file_offset = part.TryGetProperty("note", out var note)
                ? int.Parse(note.GetString()!.Split("Set file_offset to ")[1].Split(' ')[0], null)
                : null;
        }

        Assert.StartsWith(file, read);
        Assert.Contains("DB_PASSWORD: [REDACTED]", read);
        Assert.Contains(
            "file_offset must be below",
            await server.FailAsync(
                422,
                "portainer_get_stack",
                new
                {
                    stack_id = 12,
                    include_file = true,
                    file_offset = 1_000_000,
                }
            )
        );
    }

    [Fact]
    public async Task Stacks_that_were_started_without_Portainer_are_listed_with_their_kind()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/json"] = new(
            200,
            """
            [{"Id":"1","Names":["/mon_grafana.1"],"State":"running","Labels":{"com.docker.stack.namespace":"mon"}},
             {"Id":"2","Names":["/blog-web-1"],"State":"exited","Labels":{"com.docker.compose.project":"blog"}},
             {"Id":"3","Names":["/shop-web-1"],"State":"running","Labels":{"com.docker.compose.project":"SHOP"}},
             {"Id":"4","Names":["/lonely"],"State":"running","Labels":null}]
            """
        );
        await using var server = Start(portainer);

        Assert.Equal(
            """[{"id":12,"name":"shop","type":"compose","endpointId":3,"status":"active"},"""
                + """{"name":"blog","type":"compose","endpointId":3,"status":"inactive"},"""
                + """{"name":"mon","type":"swarm","endpointId":3,"status":"active"}]""",
            (await server.CallAsync("portainer_list_stacks")).GetProperty("stacks").GetRawText()
        );
    }

    [Fact]
    public async Task An_empty_list_says_that_a_standard_user_sees_only_own_objects()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET containers/json"] = new(200, "[]");
        portainer.Answers["GET api/stacks"] = new(200, "[]");
        await using var server = Start(portainer);

        foreach (var tool in (string[])["portainer_list_containers", "portainer_list_stacks"])
        {
            Assert.Contains("standard user", (await server.CallAsync(tool)).GetProperty("note").GetString());
        }

        var narrowed = await server.CallAsync("portainer_list_containers", new { name = "nobody" });
        Assert.False(narrowed.TryGetProperty("note", out _));
    }

    [Theory]
    [InlineData("portainer_stop_container", """{"container_id":"web"}""", "would be stopped; it is running now", 200)]
    [InlineData("portainer_start_container", """{"container_id":"web"}""", "nothing would change", 200)]
    [InlineData("portainer_restart_container", """{"container_id":"nobody"}""", "portainer_list_containers", 422)]
    [InlineData("portainer_stop_stack", """{"stack_id":12}""", "would be stopped; it is active now", 200)]
    [InlineData("portainer_start_stack", """{"stack_id":12}""", "was active already", 200)]
    [InlineData("portainer_start_stack", """{"stack_id":99}""", "portainer_list_stacks", 422)]
    public async Task A_dry_run_looks_whether_the_object_exists(
        string tool,
        string arguments,
        string expected,
        int status
    )
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);
        var dry = System.Text.Json.Nodes.JsonNode.Parse(arguments)!.AsObject();
        dry["dry_run"] = true;

        var answer = await server.CallAsync(tool, JsonSerializer.SerializeToElement(dry), status: status);

        Assert.Contains(expected, answer.GetRawText());
        Assert.DoesNotContain(portainer.Asked, asked => !asked.StartsWith("GET ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_reported_with_the_setting_for_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=portainer", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UnixEpoch,
            DateTimeOffset.UnixEpoch.AddYears(200)
        );
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        await using var portainer = await FakeEngine.StartAsync(certificate);
        await using var server = Start(portainer);

        var error = await server.FailAsync(502, "portainer_list_environments");

        Assert.Contains("Portainer:Certificate", error);
        Assert.Contains("SSL_CERT_FILE", error);
    }

    private static TestServer Start(FakeEngine portainer) =>
        TestServer.Start(("Portainer:Url", portainer.Url), ("Portainer:Token", FakeEngine.Key));
}
