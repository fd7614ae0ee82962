using System.Text.Json;
using CwaySample;
using MinimalMcp.Tools.Cway;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>What each tool does to the workspace, and that Cway's schema has everything that is asked.</summary>
[Slow]
public sealed class CwayToolsTests
{
    [Fact]
    public async Task Every_operation_is_asked_and_every_request_is_valid()
    {
        await using var lab = await CwayLab.StartAsync();

        foreach (var (tool, arguments, failure) in CwayParity.CallsOf(lab.Cway).Where(call => call.Failure is null))
        {
            await CallAnywayAsync(lab, tool, arguments);
        }

        var known = lab.Cway.Requests.Select(request => request.OperationName).ToHashSet();
        var never = CwayClient.OperationNames.Where(name => !known.Contains(name) && !known.Contains(name + "Batch"));
        Assert.Empty(never);
    }

    [Fact]
    public async Task A_project_is_created_changed_closed_reopened_and_deleted()
    {
        await using var lab = await CwayLab.StartAsync();

        var created = (
            await lab.CallAsync("create_project", new { name = "Autumn labels", description = "New" })
        ).GetProperty("project");
        var id = created.GetProperty("id").GetString()!;
        Assert.Equal(("Autumn labels", "New"), (Text(created, "name"), Text(created, "description")));

        var changed = await lab.CallAsync(
            "update_project",
            new
            {
                project_id = id,
                name = "Winter labels",
                end_date = "2031-01-31",
            }
        );
        Assert.Equal("Winter labels", Text(changed.GetProperty("project"), "name"));
        Assert.Equal("New", Text(changed.GetProperty("project"), "description")); // what was left out stays
        var noted = await lab.CallAsync("update_project_notes", new { project_id = id, notes = "Call the printer" });
        Assert.Equal("Call the printer", Text(noted.GetProperty("project"), "notes"));
        var manager = lab.Cway.Workspace.Users.Last();
        await lab.CallAsync("transfer_project_ownership", new { project_id = id, new_owner_id = manager.Id });
        Assert.Equal(manager, lab.Cway.Workspace.Projects.Get(Guid.Parse(id)).ProjectManager);
        var file = lab.Cway.Workspace.Files.First();
        await lab.CallAsync(
            "upload_project_attachment",
            new
            {
                project_id = id,
                file_id = file.Id,
                name = file.Name,
            }
        );
        Assert.Equal(
            1,
            (await lab.CallAsync("get_project_attachments", new { project_id = id }))
                .GetProperty("attachmentCount")
                .GetInt32()
        );

        await PrepareAndConfirmAsync(lab, "close_projects", id);
        Assert.Equal(ProjectState.CLOSED, lab.Cway.Workspace.Projects.Get(Guid.Parse(id)).State);
        await lab.CallAsync("reopen_projects", new { project_ids = (string[])[id] });
        Assert.Equal(ProjectState.IN_PROGRESS, lab.Cway.Workspace.Projects.Get(Guid.Parse(id)).State);
        await PrepareAndConfirmAsync(lab, "delete_projects", id);
        Assert.Null(lab.Cway.Workspace.Projects.Find(Guid.Parse(id)));
        Assert.Equal(
            "Project not found",
            Text(await lab.CallAsync("get_project_by_id", new { project_id = id }), "message")
        );
    }

    [Fact]
    public async Task A_token_is_for_its_call_alone_and_works_once()
    {
        await using var lab = await CwayLab.StartAsync();
        var (one, other) = (lab.Project(project => project.IsInClosableState), lab.Open);
        var preview = await lab.CallAsync("prepare_close_projects", new { project_ids = (Guid[])[one.Id] });
        var token = Text(preview, "confirmationToken")!;
        Assert.Contains("cway_confirm_close_projects", Text(preview, "nextStep"));
        Assert.Equal(300, preview.GetProperty("tokenExpiresInSeconds").GetInt32());

        Assert.Contains(
            "belongs to another call",
            await lab.Server.FailAsync(
                403,
                "cway_confirm_close_projects",
                new { project_ids = (Guid[])[other.Id], confirmation_token = token }
            )
        );
        Assert.Contains(
            "belongs to another call",
            await lab.Server.FailAsync(
                403,
                "cway_confirm_delete_projects",
                new { project_ids = (Guid[])[one.Id], confirmation_token = token }
            )
        );
        await lab.CallAsync(
            "confirm_close_projects",
            new { project_ids = (Guid[])[one.Id], confirmation_token = token }
        );
        Assert.Contains(
            "already used",
            await lab.Server.FailAsync(
                403,
                "cway_confirm_close_projects",
                new { project_ids = (Guid[])[one.Id], confirmation_token = token }
            )
        );

        // Without a token it is a preview: nothing happens.
        await lab.Server.CallAsync(
            "cway_confirm_close_projects",
            new { project_ids = (Guid[])[other.Id] },
            status: 202
        );
        Assert.Equal(ProjectState.IN_PROGRESS, other.State);
    }

    [Fact]
    public async Task Users_are_found_by_id_username_and_email_and_deleted_only_when_confirmed()
    {
        await using var lab = await CwayLab.StartAsync();
        var user = lab.Cway.Workspace.Users.Last(user => user != lab.Cway.Workspace.Me);

        foreach (var key in (string[])[$"{user.Id}", $"{user.Id}".ToUpperInvariant(), user.Username])
        {
            var found = await lab.CallAsync("get_user", new { user_id = key });
            Assert.Equal(user.Email, Text(found.GetProperty("user"), "email"));
        }

        var byEmail = await lab.CallAsync("find_user_by_email", new { email = user.Email.ToUpperInvariant() });
        Assert.Equal($"{user.Id}", Text(byEmail.GetProperty("user"), "id"));
        Assert.Equal("User not found", Text(await lab.CallAsync("get_user", new { user_id = "nobody" }), "message"));

        await lab.CallAsync(
            "create_user",
            new
            {
                email = "new@nordlys.example",
                username = "new@nordlys.example",
                first_name = "Nia",
            }
        );
        Assert.Equal("Nia", lab.Cway.Workspace.FindUser("new@nordlys.example")!.FirstName);
        var preview = await lab.CallAsync("prepare_delete_user", new { username = "new@nordlys.example" });
        Assert.NotNull(lab.Cway.Workspace.FindUser("new@nordlys.example"));
        await lab.ConfirmAsync(
            "confirm_delete_user",
            new() { ["username"] = "new@nordlys.example" },
            Text(preview, "confirmationToken")!
        );
        Assert.Null(lab.Cway.Workspace.FindUser("new@nordlys.example"));
    }

    [Fact]
    public async Task Artworks_are_approved_rejected_and_assigned()
    {
        await using var lab = await CwayLab.StartAsync();
        var artworks = lab.Cway.Workspace.Artworks.Where(artwork => artwork.IsInApprovableState).Take(2).ToArray();

        await lab.CallAsync("approve_artwork", new { artwork_id = artworks[0].Id });
        Assert.Equal(ArtworkState.APPROVED, artworks[0].State);
        await lab.CallAsync("reject_artwork", new { artwork_id = artworks[1].Id, reason = "The logo is old" });
        Assert.Equal(ArtworkState.REJECTED, artworks[1].State);

        var user = lab.Cway.Workspace.Users.Last();
        await lab.CallAsync(
            "assign_artwork",
            new
            {
                artwork_id = artworks[0].Id,
                user_id = user.Id,
                role = "SUPPLIER",
            }
        );
        Assert.Contains(artworks[0].Users, one => one.User == user && one is { IsSupplier: true, IsApprover: false });

        var others = lab.Cway.Workspace.Artworks.Where(artwork => artwork.IsInApprovableState).Take(20).ToArray();
        var ofTwo = others.DistinctBy(artwork => artwork.ProjectId).Take(2).Select(artwork => artwork.Id);
        Assert.Contains(
            "different projects",
            await lab.Server.FailAsync(
                422,
                "cway_bulk_update_artwork_status",
                new { artwork_ids = ofTwo, status = "APPROVED" }
            )
        );
    }

    [Fact]
    public async Task The_folder_tree_has_every_folder_with_its_parent()
    {
        await using var lab = await CwayLab.StartAsync();

        var tree = await lab.CallAsync("get_folder_tree");

        Assert.Equal(
            lab.Cway.Workspace.Folders.Select(folder => ($"{folder.Id}", folder.Parent?.Id)).Order(),
            tree.GetProperty("folders")
                .EnumerateArray()
                .Select(folder =>
                    (
                        Text(folder, "id")!,
                        folder.TryGetProperty("parentId", out var parent) ? parent.GetGuid() : (Guid?)null
                    )
                )
                .Order()
        );
    }

    [Fact]
    public async Task The_original_names_are_answered_to_where_the_setting_says_so()
    {
        await using var lab = await CwayLab.StartAsync();
        await using var original = TestServer.Start([.. lab.Settings, ("Cway:OriginalNames", "true")]);

        Assert.Contains("Unknown tool", await lab.Server.FailAsync(404, "list_projects"));
        foreach (
            var name in (string[])["list_projects", "get_planner_projects", "list_all_users", "cway_list_projects"]
        )
        {
            await original.CallAsync(name);
        }

        Assert.Contains("Unknown tool", await original.FailAsync(404, "list_galaxies"));
        var listed = (await original.GetJsonAsync("/tools")).GetProperty("tools").EnumerateArray();
        Assert.DoesNotContain(listed, tool => Text(tool, "name") == "list_projects");
    }

    [Fact]
    public async Task The_profile_of_the_family_has_at_most_thirty_tools_with_search_and_velocity()
    {
        await using var lab = await CwayLab.StartAsync();

        var profile = Names(await lab.Server.GetJsonAsync("/tools?profile=cway"));

        Assert.InRange(profile.Length, 20, 30);
        Assert.Contains("cway_search_projects", profile);
        Assert.Contains("cway_analyze_project_velocity", profile);
        Assert.True(Names(await lab.Server.GetJsonAsync("/tools?family=cway")).Length > 60);

        static string[] Names(JsonElement tools) =>
            [.. tools.GetProperty("tools").EnumerateArray().Select(tool => Text(tool, "name")!)];
    }

    [Fact]
    public async Task Content_is_indexed_to_the_targets_of_the_settings_and_to_no_others()
    {
        await using var lab = await CwayLab.StartAsync();

        var job = (await lab.CallAsync("index_all_content")).GetProperty("indexingResult");
        Assert.True(job.GetProperty("success").GetBoolean(), $"{job}");
        var lines = await File.ReadAllLinesAsync(
            Path.Combine(lab.Data, "cway.jsonl"),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(job.GetProperty("documentsIndexed").GetInt32(), lines.Length);
        Assert.Equal(
            [("kpi", 1), ("project", 40), ("temporal_kpi", 1), ("user", lab.Cway.Workspace.Users.Count)],
            lines
                .CountBy(line => Text(JsonElement.Parse(line), "type")!)
                .OrderBy(type => type.Key, StringComparer.Ordinal)
                .Select(type => (type.Key, type.Value))
        );
        var status = await lab.CallAsync("get_indexing_job_status", new { job_id = Text(job, "jobId") });
        Assert.Equal("completed", Text(status.GetProperty("jobStatus"), "status"));

        Assert.Contains(
            "There are: backup",
            await lab.Server.FailAsync(422, "cway_index_all_content", new { targets = (string[])["/etc/passwd"] })
        );
        await lab.CallAsync(
            "configure_indexing_target",
            new
            {
                name = "backup",
                platform = "file",
                description = "Off",
                enabled = false,
            }
        );
        Assert.Contains(
            "No enabled targets",
            Text((await lab.CallAsync("quick_backup")).GetProperty("backupResult"), "message")
        );
        Assert.Contains(
            "only the operator",
            await lab.Server.FailAsync(
                422,
                "cway_configure_indexing_target",
                new
                {
                    name = "backup",
                    platform = "elasticsearch",
                    description = "",
                }
            )
        );
    }

    [Fact]
    public async Task A_search_cluster_gets_documents_by_its_bulk_API()
    {
        await using var cluster = await Upstream.StartAsync();
        cluster.Answer = """{"took":1,"errors":false,"items":[]}""";
        await using var lab = await CwayLab.StartAsync(
            null,
            null,
            ("Cway:Targets:search:Platform", "elasticsearch"),
            ("Cway:Targets:search:Url", cluster.Url),
            ("Cway:Targets:search:ApiKey", "key-of-the-cluster")
        );

        var job = (await lab.CallAsync("index_all_content", new { targets = (string[])["search"] })).GetProperty(
            "indexingResult"
        );

        Assert.True(job.GetProperty("success").GetBoolean(), $"{job}");
        var asked = Assert.Single(cluster.Asked);
        Assert.Equal(
            ("POST /_bulk", "ApiKey key-of-the-cluster", "application/x-ndjson"),
            (asked.Line, asked.Headers["Authorization"], asked.Headers["Content-Type"])
        );
        var lines = asked.Body.TrimEnd('\n').Split('\n');
        Assert.Equal(job.GetProperty("documentsIndexed").GetInt32() * 2, lines.Length);
        Assert.Equal("cway", Text(JsonElement.Parse(lines[0]).GetProperty("index"), "_index"));

        cluster.Answer = """{"took":1,"errors":true,"items":[]}""";
        var refused = (await lab.CallAsync("index_all_content", new { targets = (string[])["search"] })).GetProperty(
            "indexingResult"
        );
        Assert.Contains(
            "Failed to index to any targets: search: the cluster refused some documents",
            Text(refused, "message")
        );
    }

    private static async Task PrepareAndConfirmAsync(CwayLab lab, string what, string id)
    {
        var preview = await lab.CallAsync("prepare_" + what, new { project_ids = (string[])[id], force = true });
        Assert.Equal("preview", Text(preview, "action"));
        await lab.ConfirmAsync(
            "confirm_" + what,
            new() { ["project_ids"] = (string[])[id], ["force"] = true },
            Text(preview, "confirmationToken")!
        );
    }

    // Dry runs become real, and previews are confirmed.
    private static async Task CallAnywayAsync(CwayLab lab, string tool, string arguments)
    {
        var real = System.Text.Json.Nodes.JsonNode.Parse(arguments)!.AsObject();
        real.Remove("dry_run");
        using var first = await lab.Server.PostAsync("/tools/" + tool, real.ToJsonString());
        var answer = JsonElement.Parse(await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        if ((int)first.StatusCode == 202)
        {
            real["confirmation_token"] = Text(answer, "confirmation_token");
            using var second = await lab.Server.PostAsync("/tools/" + tool, real.ToJsonString());
            answer = JsonElement.Parse(await second.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            Assert.True(second.IsSuccessStatusCode, $"{tool} {real}: {answer}");
            return;
        }

        Assert.True(first.IsSuccessStatusCode, $"{tool} {real}: {answer}");
    }

    private static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();
}
