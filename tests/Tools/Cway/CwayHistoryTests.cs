using CwaySample;
using MinimalMcp.Tools.Cway;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>History is kept, and asked for again only where lastActivity moved.</summary>
[Slow]
public sealed class CwayHistoryTests
{
    [Fact]
    public async Task Only_what_moved_is_asked_for_again_also_after_a_restart()
    {
        await using var lab = await CwayLab.StartAsync(new() { Projects = 120 });
        var store = Path.Combine(lab.Data, "kept.db");
        await using (var first = TestServer.Start([.. lab.Settings, ("Storage:Path", store)]))
        {
            await first.CallAsync("cway_get_temporal_dashboard");
            Assert.Equal(5, Batches()); // 120 projects, 25 to a request
            await first.CallAsync("cway_get_stagnation_alerts");
            Assert.Equal(5, Batches());
        }

        var project = lab.Open;
        var before = project.History.Length;
        lab.Cway.Workspace.Record(project, "RevisionUploaded", "One more");
        lab.Cway.Requests.Clear();
        await using var second = TestServer.Start([.. lab.Settings, ("Storage:Path", store)]);
        var health = await second.CallAsync("cway_get_project_health", new { limit = 500 });

        Assert.Equal(1, Batches());
        var one = health
            .GetProperty("projects")
            .EnumerateArray()
            .Single(health => health.GetProperty("projectId").GetString() == $"{project.Id}");
        Assert.Equal(before + 1, one.GetProperty("metrics").GetProperty("revisions").GetInt32());

        int Batches() => lab.Cway.Requests.Count(request => request.OperationName == "CwayProjectActivityBatch");
    }

    [Fact]
    public async Task The_first_time_shows_progress_and_keeps_within_its_concurrency()
    {
        await using var lab = await CwayLab.StartAsync(
            new() { Projects = 400, Latency = TimeSpan.FromMilliseconds(20) }
        );

        var (steps, _) = await lab.Server.CallWithProgressAsync("cway_get_temporal_dashboard", new { });

        Assert.Equal(16, steps.Length);
        Assert.Equal("16 of 16", steps[^1].Count);
        Assert.InRange(lab.Cway.MostAtOnce, 2, 8);
    }

    [Fact]
    public void A_batch_asks_the_same_operation_for_each_id() =>
        Assert.Equal(
            "query CwayProjectActivityBatch($id0: UUID!, $id1: UUID!) {"
                + " p0: projectHistory(projectId: $id0) { timestamp } p1: projectHistory(projectId: $id1) { "
                + "timestamp } }",
            CwayClient.Batch("CwayProjectActivity", 2)
        );
}
