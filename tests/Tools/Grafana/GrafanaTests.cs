using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;
using MinimalMcp.Tools.Grafana;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>
/// What holds with a stand-in and with a real Grafana (E2E_GRAFANA_URL, E2E_GRAFANA_KEY). It leaves nothing behind.
/// </summary>
[Slow]
public sealed class GrafanaTests
{
    [Fact]
    public async Task The_life_of_a_dashboard()
    {
        await using var lab = await GrafanaLab.StartAsync();
        var title = "MinimalMcp test " + Guid.NewGuid().ToString("N")[..8];

        var uid = (
            await lab.Server.CallAsync(
                "grafana_create_dashboard",
                new
                {
                    title,
                    dashboard = JsonElement.Parse(
                        """{"id":999999,"panels":[{"id":1,"type":"timeseries","title":"Up","targets":"""
                            + """[{"refId":"A","expr":"up"}]}]}"""
                    ),
                }
            )
        )
            .GetProperty("uid")
            .GetString()!;
        try
        {
            var found = Assert.Single(
                (await lab.Server.CallAsync("grafana_list_dashboards", new { query = title }))
                    .GetProperty("dashboards")
                    .EnumerateArray()
            );
            Assert.Equal(uid, found.GetProperty("uid").GetString());
            var read = await lab.Server.CallAsync("grafana_get_dashboard", new { uid, full = true });
            Assert.Equal("up", read.GetProperty("panels")[0].GetProperty("queries")[0].GetString());

            var changed = JsonNode.Parse(read.GetProperty("dashboard").GetRawText())!;
            changed["panels"]![0]!["title"] = "Targets";
            var version = read.GetProperty("version").GetInt64();
            var saved = await lab.Server.CallAsync(
                "grafana_update_dashboard",
                new
                {
                    uid,
                    version,
                    dashboard = changed,
                }
            );
            Assert.True(saved.GetProperty("version").GetInt64() > version);
            Assert.Equal(
                "Targets",
                (await lab.Server.CallAsync("grafana_get_dashboard", new { uid }))
                    .GetProperty("panels")[0]
                    .GetProperty("title")
                    .GetString()
            );

            // Now it has another version, so the one that was read may no longer be saved.
            Assert.Contains(
                "Read it again",
                await lab.Server.FailAsync(
                    422,
                    "grafana_update_dashboard",
                    new
                    {
                        uid,
                        version,
                        dashboard = changed,
                    }
                )
            );
            Assert.Contains(
                "Choose another title",
                await lab.Server.FailAsync(422, "grafana_create_dashboard", new { title })
            );
            Assert.Contains(
                "already",
                await lab.Server.FailAsync(
                    422,
                    "grafana_create_dashboard",
                    new { title = title + " 2", dashboard = new { uid } }
                )
            );
        }
        finally
        {
            Assert.Equal(
                title,
                (await lab.Server.CallAsync("grafana_delete_dashboard", new { uid })).GetProperty("title").GetString()
            );
        }

        Assert.Contains(
            "grafana_list_dashboards returns the uids",
            await lab.Server.FailAsync(422, "grafana_get_dashboard", new { uid })
        );
        Assert.Contains(
            "grafana_list_dashboards returns the uids",
            await lab.Server.FailAsync(422, "grafana_delete_dashboard", new { uid })
        );
    }

    [Fact]
    public async Task Every_list_is_a_list_and_no_secret_is_in_it()
    {
        await using var lab = await GrafanaLab.StartAsync();

        foreach (
            var (tool, list) in new[]
            {
                ("grafana_list_dashboards", "dashboards"),
                ("grafana_list_folders", "folders"),
                ("grafana_list_datasources", "dataSources"),
                ("grafana_list_alert_rules", "rules"),
                ("grafana_list_annotations", "annotations"),
            }
        )
        {
            var answer = await lab.Server.CallAsync(tool);
            Assert.Equal(JsonValueKind.Array, answer.GetProperty(list).ValueKind);
            Assert.DoesNotContain("hunter2", answer.GetRawText());
            Assert.DoesNotContain("secureJson", answer.GetRawText());
        }
    }

    [Fact]
    public async Task The_health_is_that_of_Grafana_and_of_our_token()
    {
        await using var lab = await GrafanaLab.StartAsync();

        var health = await lab.Server.CallAsync("grafana_get_health");

        Assert.True(health.GetProperty("healthy").GetBoolean());
        Assert.True(health.GetProperty("authorised").GetBoolean());
        Assert.Matches(@"^\d+\.\d+", health.GetProperty("version").GetString());
    }

    [Fact]
    public async Task A_data_source_is_queried_and_an_error_of_it_is_told()
    {
        await using var lab = await GrafanaLab.StartAsync();
        var source = (await lab.Server.CallAsync("grafana_list_datasources"))
            .GetProperty("dataSources")
            .EnumerateArray()
            .FirstOrDefault(source => source.GetProperty("type").GetString() == "prometheus");
        Assert.SkipWhen(
            source.ValueKind is JsonValueKind.Undefined,
            "this Grafana has no data source of the type prometheus"
        );
        var datasource_uid = source.GetProperty("uid").GetString();

        var answer = await lab.Server.CallAsync(
            "grafana_query_datasource",
            new
            {
                datasource_uid,
                query = "vector(1)",
                from = "15m",
                chart = true,
            }
        );

        Assert.True(answer.GetProperty("totalSeries").GetInt32() > 0);
        Assert.Equal("image/png", answer.GetProperty("content")[0].GetProperty("mimeType").GetString());
        Assert.Contains(
            "parse error",
            await lab.Server.FailAsync(422, "grafana_query_datasource", new { datasource_uid, query = "up{" })
        );
    }

    [Fact]
    public async Task A_moment_is_marked_and_found()
    {
        await using var lab = await GrafanaLab.StartAsync();
        var tag = "test-" + Guid.NewGuid().ToString("N")[..8];

        var made = await lab.Server.CallAsync(
            "grafana_create_annotation",
            new
            {
                text = "deployed",
                tags = new[] { tag },
                time = "5m",
            }
        );
        var found = Assert.Single(
            (await lab.Server.CallAsync("grafana_list_annotations", new { tag, from = "1h" }))
                .GetProperty("annotations")
                .EnumerateArray()
        );

        Assert.Equal(made.GetProperty("id").GetInt64(), found.GetProperty("id").GetInt64());
        Assert.Equal(
            ("deployed", made.GetProperty("time").GetString()),
            (found.GetProperty("text").GetString(), found.GetProperty("time").GetString())
        );
    }

    [Theory]
    [InlineData(
        "APP_GRAFANA__URL=grafana:3000",
        "Grafana:Url (APP_GRAFANA__URL) must be an absolute http or https address"
    )]
    [InlineData("Grafana__PublicUrl=graphs.example.com", "Grafana:PublicUrl must be an absolute http or https address")]
    [InlineData("APP_GRAFANA__TOKEN=two words", "Grafana:Token (APP_GRAFANA__TOKEN) must be one line")]
    [InlineData("Grafana__Url=http://grafana?secret=1", "Grafana:Url")]
    public async Task A_wrong_setting_is_told_at_the_start(string variable, string part)
    {
        var pair = variable.Split('=', 2);

        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string> { [pair[0]] = pair[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(part, errors);
        Assert.DoesNotContain("two words", errors);
    }

    [Fact]
    public void Every_setting_is_documented()
    {
        var pages = string.Concat(
            ReadmeTests.Pages.Select(page => File.ReadAllText(Path.Combine(ClientProcess.Root, page)))
        );
        var settings = typeof(GrafanaOptions)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .Select(property => $"Grafana:{property.Name}");

        Assert.All(settings, setting => Assert.Contains($"`{setting}`", pages));
    }
}
