using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>
/// Stacks in search and fetch. Files of this name are left out of a project that leaves out the family Documents.
/// </summary>
public sealed class PortainerDocumentsTests
{
    [Theory]
    [InlineData("https://containers.example/portainer/", "https://containers.example/portainer")]
    [InlineData("", null)]
    public async Task A_stack_is_found_by_its_name_and_fetched_with_its_file_without_secrets(
        string publicUrl,
        string? address
    )
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer, ("Portainer:PublicUrl", publicUrl));

        var found = (await server.CallAsync("search", new { query = "SHOP" }))
            .GetProperty("results")
            .EnumerateArray()
            .Single(result => result.GetProperty("id").GetString()!.StartsWith("portainer:", StringComparison.Ordinal));
        var stack = await server.CallAsync("fetch", new { id = found.GetProperty("id").GetString() });

        Assert.Equal(
            ("portainer:stack/12", "shop"),
            (found.GetProperty("id").GetString(), found.GetProperty("title").GetString())
        );
        Assert.Equal(
            $"{address ?? portainer.Url}/#!/3/docker/stacks/shop?id=12&type=2&regular=true",
            found.GetProperty("url").GetString()
        );
        Assert.Equal(found.GetProperty("url").GetString(), stack.GetProperty("url").GetString());
        Assert.Contains("image: acme/web:1", stack.GetProperty("text").GetString());
        Assert.Contains("DB_PASSWORD=[REDACTED]", stack.GetProperty("text").GetString());
        Assert.DoesNotContain("hunter2", stack.GetRawText());
        Assert.Equal(
            ("active", "3"),
            (
                stack.GetProperty("metadata").GetProperty("status").GetString(),
                stack.GetProperty("metadata").GetProperty("endpoint_id").GetString()
            )
        );
        Assert.Empty(portainer.Violations);
    }

    /// <summary>Lines of a Compose file, and what is seen of them.</summary>
    public static TheoryData<string, string> Files =>
        new()
        {
            { "PGPASS: \"hunter2 with spaces\"", "PGPASS: \"[REDACTED]\"" },
            { "PGPASS: 'hunter2 isn''t hunter2'", "PGPASS: '[REDACTED]'" },
            { "PGPASS: hunter2 it's hunter2", "PGPASS: [REDACTED]" },
            { "- PGPASS=hunter2 with spaces hunter2", "- PGPASS=[REDACTED]" },
            { "- \"PGPASS=hunter2 with spaces hunter2\"", "- \"PGPASS=[REDACTED]\"" },
            { "[\"PGPASS=hunter2 and hunter2\", \"A=1\"]", "[\"PGPASS=[REDACTED]\", \"A=1\"]" },
            { "{\"PGPASS\": \"hunter2 hunter2\", \"A\": 1}", "{\"PGPASS\": \"[REDACTED]\", \"A\": 1}" },
            { "DB_PASSWORD: |\n        hunter2\n\n        hunter2\n      A: 1", "DB_PASSWORD: [REDACTED]\n      A: 1" },
            { "DB_PASSWORD: \"hunter2\n        hunter2\"\n      A: 1", "DB_PASSWORD: \"[REDACTED]\"\n      A: 1" },
            { "command: redis-server --requirepass hunter2 --port 1", "--requirepass [REDACTED] --port 1" },
            {
                "command: [\"app\", \"--db-password\", \"hunter2\", \"-v\"]",
                "\"--db-password\", \"[REDACTED]\", \"-v\"]"
            },
            { "- --db-password\n      - hunter2\n      - -v", "- --db-password\n      - [REDACTED]\n      - -v" },
            { "secrets:\n        - db_password", "secrets:\n        - db_password" },
            { "DB_PASSWORD: \"hunter2", "DB_PASSWORD: \"[REDACTED]" },
        };

    [Theory, MemberData(nameof(Files))]
    public async Task A_secret_in_a_file_is_hidden_however_it_is_written(string line, string shown)
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET api/stacks/12/file"] = new(
            200,
            System.Text.Json.JsonSerializer.Serialize(
                new { StackFileContent = $"services:\n  web:\n    x:\n      {line}\n" }
            )
        );
        await using var server = Start(portainer);

        var fetched = await server.CallAsync("fetch", new { id = "portainer:stack/12" });
        var read = await server.CallAsync("portainer_get_stack", new { stack_id = 12, include_file = true });

        foreach (
            var text in (string[])[fetched.GetProperty("text").GetString()!, read.GetProperty("file").GetString()!]
        )
        {
            Assert.Contains(shown, text);
            Assert.DoesNotContain("hunter2", text);
        }
    }

    [Theory]
    [InlineData("portainer_get_stack", false)]
    [InlineData("portainer_list_stacks", false)]
    [InlineData("portainer_get_container_logs", true)]
    public async Task Stacks_are_documents_only_where_their_tools_may_be_called(string denied, bool isOpen)
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer, ("Governance:Deny", denied));

        var found = (await server.CallAsync("search", new { query = "shop" })).GetRawText();

        Assert.Equal(isOpen, found.Contains("portainer:stack/12", StringComparison.Ordinal));
        if (!isOpen)
        {
            Assert.Contains("is not an id", await server.FailAsync(422, "fetch", new { id = "portainer:stack/12" }));
        }
    }

    [Fact]
    public async Task At_most_ten_stacks_are_found()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET api/stacks"] = new(
            200,
            $"[{string.Join(',', Enumerable.Range(1, 500).Select(id => $$"""{"Id":{{id}}"""
                + $$""","Name":"many{{id}}","Type":2,"EndpointId":3,"Status":1}"""))}]"
        );
        await using var server = Start(portainer);

        var found = (await server.CallAsync("search", new { query = "many" })).GetProperty("results").EnumerateArray();

        Assert.Equal(
            10,
            found.Count(result =>
                result.GetProperty("id").GetString()!.StartsWith("portainer:", StringComparison.Ordinal)
            )
        );
    }

    [Theory]
    [InlineData("portainer:stack/../endpoints")]
    [InlineData("portainer:stack/0")]
    [InlineData("portainer:stack/-1")]
    [InlineData("portainer:12")]
    [InlineData("portainer:")]
    public async Task An_id_that_is_none_asks_nothing(string id)
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        Assert.Contains("There is no document", await server.FailAsync(422, "fetch", new { id }));
        Assert.Empty(portainer.Asked);
    }

    private static TestServer Start(FakeEngine portainer, params (string, string)[] settings) =>
        TestServer.Start([("Portainer:Url", portainer.Url), ("Portainer:Token", FakeEngine.Key), .. settings]);
}
