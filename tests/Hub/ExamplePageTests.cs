using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;
using Npgsql;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// The examples of docs/operate/hub-*.md, with the published server at the version that the page names. npx is the
/// only difference: the packages of tests/Clients are started by node.
/// </summary>
[Slow]
public sealed partial class ExamplePageTests(PostgresServer postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task N8n_lists_its_workflows_with_the_key_of_the_page()
    {
        await using var n8n = await StartN8nAsync("your-n8n-api-key", out var requests);
        await using var hub = HubServer.Empty(("Governance:Deny", "n8n-automation/n8n_delete_workflow"));
        await RegisterAsync(hub, "n8n", "n8n-mcp/dist/mcp/index.js", server =>
        {
            server["env"]!["N8N_API_URL"] = n8n.Urls.First();
            server["env"]!["WEBHOOK_SECURITY_MODE"] = "moderate";
        });

        var names = (await ToolNames.OfAsync(hub.Server, "/mcp"))[0];
        Assert.Equal(27, names.Count(name => name.StartsWith("n8n-automation_", StringComparison.Ordinal)));
        Assert.DoesNotContain("n8n-automation_n8n_delete_workflow", names);
        Assert.Contains("Send invoice", await hub.CallAsync("n8n-automation_n8n_list_workflows"));
        Assert.Contains("Send invoice", await hub.CallAsync("n8n_list_workflows", path: "/mcp/n8n-automation"));
        Assert.Contains(
            "httpRequest",
            await hub.CallAsync("n8n-automation_search_nodes", new { query = "http request" })
        );
        Assert.All(requests, request => Assert.EndsWith("key: your-n8n-api-key", request));
        Assert.NotEmpty(requests);
    }

    [Fact]
    public async Task A_git_repository_is_read_and_written()
    {
        var git = Needs.Program("install git", "git");
        var folder = Directory.CreateTempSubdirectory("hub-git").FullName;
        try
        {
            await using var hub = HubServer.Empty(("Governance:Deny", "git/git_push git/git_reset git/git_clean"));
            await RegisterAsync(hub, "git", "@cyanheads/git-mcp-server/dist/index.js", server =>
                server["env"]!["GIT_BASE_DIR"] = folder
            );

            var names = (await ToolNames.OfAsync(hub.Server, "/mcp"))[0];
            Assert.Contains("git_git_log", names);
            Assert.DoesNotContain("git_git_push", names);
            var path = Path.Combine(folder, "one");
            Directory.CreateDirectory(path);
            await hub.CallAsync("git_git_init", new { path });
            await File.WriteAllTextAsync(Path.Combine(path, "a.txt"), "a", Stop);
            await hub.CallAsync("git_git_add", new { path, paths = new[] { "a.txt" } });
            var author = new { name = "Ann", email = "ann@example.com" };
            await hub.CallAsync(
                "git_git_commit",
                new
                {
                    path,
                    message = "Add a",
                    author,
                }
            );
            Assert.Contains("Add a", await hub.CallAsync("git_git_log", new { path }));
            Assert.True(File.Exists(git) && Directory.Exists(Path.Combine(path, ".git")));
            Assert.DoesNotContain("Add a", await hub.CallAsync("git_git_log", new { path = "/etc" }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_database_is_asked_and_not_changed()
    {
        var database = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync());
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var create = source.CreateCommand("create table sales (region text, total bigint)");
        await create.ExecuteNonQueryAsync(Stop);
        await using var insert = source.CreateCommand("insert into sales values ('north', 41), ('south', 1)");
        await insert.ExecuteNonQueryAsync(Stop);

        await using var hub = HubServer.Empty();
        await RegisterAsync(hub, "database", "@modelcontextprotocol/server-postgres/dist/index.js", server =>
            server["args"]![2] =
                $"postgresql://{database.Username}:{database.Password ?? "none"}@{database.Host}:{database.Port}/"
                + database.Database
        );

        const string Sum = "select sum(total) as everything from sales";
        Assert.Contains("42", await hub.CallAsync("database_query", new { sql = Sum }));
        var refused = await hub.CallAsync("database_query", new { sql = "delete from sales" });
        Assert.Contains("read-only transaction", refused);
        Assert.Contains("42", await hub.CallAsync("database_query", new { sql = Sum }));
    }

    private static Task<long> RegisterAsync(HubServer hub, string page, string script, Action<JsonObject> change)
    {
        var text = File.ReadAllText(Path.Combine(ClientProcess.Root, "docs", "operate", $"hub-{page}.md"));
        var server = JsonNode.Parse(JsonBlock().Match(text).Groups[1].Value)!.AsObject();
        var package = server["args"]![1]!.GetValue<string>();
        var installed = Needs.NodePackage($"{package[..package.LastIndexOf('@')]}/package.json");
        Assert.Equal(
            package[(package.LastIndexOf('@') + 1)..],
            JsonNode.Parse(File.ReadAllText(installed))!["version"]!.GetValue<string>()
        );
        change(server);
        string[] args = [Needs.NodePackage(script), .. server["args"]!.AsArray().Skip(2).Select(one => $"{one}")];
        return hub.AddAsync($"{server["name"]}", args, server);
    }

    // What n8n-mcp asks of n8n's API (https://docs.n8n.io/api/api-reference/); all else is refused.
    private static Task<WebApplication> StartN8nAsync(string key, out ConcurrentQueue<string> requests)
    {
        var seen = requests = new();
        return StartAsync();

        async Task<WebApplication> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add("http://127.0.0.1:0");
            app.Use(
                async (http, next) =>
                {
                    var given = http.Request.Headers["X-N8N-API-KEY"].ToString();
                    if (http.Request.Path.StartsWithSegments("/api/v1"))
                    {
                        seen.Enqueue($"{http.Request.Method} {http.Request.Path} key: {given}");
                    }

                    await (
                        given == key || !http.Request.Path.StartsWithSegments("/api/v1")
                            ? next(http)
                            : Results.Json(new { message = "unauthorized" }, statusCode: 401).ExecuteAsync(http)
                    );
                }
            );
            app.MapGet("/healthz", () => new { status = "ok" });
            app.MapGet("/api/v1/workflows", () => new
                {
                    data = new[]
                    {
                        new
                        {
                            id = "2tUt1wbLX592XDdX",
                            name = "Send invoice",
                            active = true,
                            isArchived = false,
                            nodes = Array.Empty<object>(),
                            connections = new { },
                            tags = Array.Empty<object>(),
                            createdAt = "2026-01-01T00:00:00.000Z",
                            updatedAt = "2026-01-01T00:00:00.000Z",
                        },
                    },
                    nextCursor = (string?)null,
                });
            await app.StartAsync(Stop);
            return app;
        }
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
