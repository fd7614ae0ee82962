using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;
using Npgsql;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// Servers that other people published, and one by hand: listed, called, stopped, and no process is left.
/// </summary>
[Slow]
public sealed class PublishedServerTests(PostgresServer postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("published");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Server_filesystem_reads_and_writes_in_its_folder_only()
    {
        await using var hub = HubServer.Empty();
        await AddAsync(hub, "filesystem", [Script("filesystem"), _folder.FullName]);
        var file = Path.Combine(_folder.FullName, "note.txt");

        await CallAsync(hub, "filesystem_write_file", new { path = file, content = "a note" });

        Assert.Equal("a note", await File.ReadAllTextAsync(file, Stop));
        Assert.Contains("a note", await CallAsync(hub, "filesystem_read_text_file", new { path = file }));
        var arguments = new { path = "/etc/passwd" };
        var refused = await hub.Server.McpAsync("tools/call", new { name = "filesystem_read_text_file", arguments });
        Assert.True(refused.IsError);
        Assert.Contains("Access denied", refused.Text);
        await StopAsync(hub, "filesystem_read_text_file");
    }

    [Fact]
    public async Task Server_memory_keeps_what_it_is_told_over_a_restart()
    {
        var env = new Dictionary<string, string>
        {
            ["MEMORY_FILE_PATH"] = Path.Combine(_folder.FullName, "memory.jsonl"),
        };
        await using var hub = HubServer.Empty();
        await AddAsync(hub, "memory", [Script("memory")], new { env });
        var ada = new
        {
            name = "Ada",
            entityType = "person",
            observations = (string[])["writes programs"],
        };
        await CallAsync(hub, "memory_create_entities", new { entities = new[] { ada } });

        var (status, _) = await hub.SendAsync("POST", "/1/restart");

        Assert.Equal(200, status);
        Assert.Contains("writes programs", await CallAsync(hub, "memory_search_nodes", new { query = "Ada" }));
        await StopAsync(hub, "memory_search_nodes");
    }

    [Fact]
    public async Task Server_sequential_thinking_counts_thoughts()
    {
        await using var hub = HubServer.Empty();
        await AddAsync(hub, "thinking", [Script("sequential-thinking")]);
        var thought = new
        {
            thought = "One step",
            nextThoughtNeeded = false,
            thoughtNumber = 1,
            totalThoughts = 1,
        };

        var answer = await CallAsync(hub, "thinking_sequentialthinking", thought);

        Assert.Contains("thoughtHistoryLength", answer);
        await StopAsync(hub, "thinking_sequentialthinking");
    }

    [Fact]
    public async Task A_server_in_Python_by_hand()
    {
        await using var hub = HubServer.Empty();
        var script = Path.Combine(Path.GetDirectoryName(HubServer.Script())!, "numbers.py");
        Needs.Program("install Python 3", "python3");
        await AddAsync(hub, "numbers", [script], command: "python3");

        Assert.Equal("5", await CallAsync(hub, "numbers_add", new { a = 2, b = 3 }));
        Assert.Contains("There is no number.", await hub.CallAsync("numbers_fail"));
        var lines = (await hub.SendAsync("GET", "/1/logs")).Json.GetProperty("lines");
        Assert.StartsWith("numbers: process", lines[0].GetString(), StringComparison.Ordinal);
        await StopAsync(hub, "numbers_add");
    }

    [Fact]
    public async Task Server_postgres_answers_and_its_address_is_nowhere_in_our_store()
    {
        var database = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync());
        await using (var source = NpgsqlDataSource.Create(database.ConnectionString))
        {
            await using var films = source.CreateCommand(
                "create table films (title text); insert into films values ('Metropolis')"
            );
            await films.ExecuteNonQueryAsync(Stop);
        }

        const string Password = "an-argument-s3cret";
        var place = $"{database.Host}:{database.Port}";
        var store = Path.Combine(_folder.FullName, "hub.db");
        await using (var hub = HubServer.Empty(("Storage:Path", store)))
        {
            await AddAsync(
                hub,
                "films",
                [Script("postgres"), $"postgresql://{database.Username}:{Password}@{place}/{database.Database}"]
            );

            Assert.Contains("Metropolis", await CallAsync(hub, "films_query", new { sql = "select * from films" }));
            // The URIs of its resources have its address.
            var resources = await hub.Server.McpAsync("resources/list", path: "/mcp/films");
            Assert.Contains($"{place}/films/schema", resources.Message.GetRawText());
            await StopAsync(hub, "films_query");
        }

        // What SQLite keeps beside the database goes away when its last connection is closed.
        await Wait.Until(() => _folder.GetFiles("hub.db-*").Length == 0);
        var stored = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(store, Stop));
        Assert.Contains("films", stored);
        Assert.All([Password, place, database.Database!], secret => Assert.DoesNotContain(secret, stored));
    }

    private static string Script(string server) =>
        Needs.NodePackage($"@modelcontextprotocol/server-{server}/dist/index.js");

    private static async Task AddAsync(
        HubServer hub,
        string name,
        string[] args,
        object? more = null,
        string? command = null
    ) => Assert.Equal(1, await hub.AddAsync(name, args, more, command));

    private static async Task<string> CallAsync(HubServer hub, string tool, object arguments)
    {
        var answer = await hub.Server.McpAsync("tools/call", new { name = tool, arguments });
        Assert.False(answer.IsError, answer.Message.GetRawText());
        return answer.Text;
    }

    private static async Task StopAsync(HubServer hub, string tool)
    {
        var marker = hub.Server.Services.GetRequiredService<ProcessMarkers>().Of(1);
        if (ProcessTree.IsSupported)
        {
            Assert.NotEmpty(ProcessTree.Find(marker));
        }

        var (status, stopped) = await hub.SendAsync("POST", "/1/stop");

        Assert.True(status == 200, $"{stopped}");
        Assert.DoesNotContain(tool, (await ToolNames.OfAsync(hub.Server, "/mcp"))[0]);
        if (ProcessTree.IsSupported)
        {
            Assert.Empty(ProcessTree.Find(marker));
        }
    }
}
