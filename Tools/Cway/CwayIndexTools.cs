using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>
/// Writes projects, users and figures to the targets of the settings (Cway:Targets), one JSON document to a line. A
/// caller chooses among them by name; where they write to is the operator's decision alone.
/// </summary>
[McpServerToolType]
internal sealed class CwayIndexTools(
    CwayClient cway,
    CwayHistoryClient history,
    IOptions<CwayOptions> options,
    IHttpClientFactory http,
    IDistributedCache store,
    IHostEnvironment host,
    TimeProvider time
) : IDisposable
{
    /// <summary>The name of the HTTP client for search clusters.</summary>
    internal const string Upstream = "CwayIndexClient";

    private const int BulkDocuments = 500,
        MaxJobs = 100;

    private static readonly DistributedCacheEntryOptions Kept = new() { SlidingExpiration = TimeSpan.FromDays(365) };

    private readonly ConcurrentQueue<CwayIndexJob> _jobs = [];
    private readonly SemaphoreSlim _writing = new(1, 1);

    public void Dispose() => _writing.Dispose();

    [McpServerTool(
        Name = "cway_index_all_content",
        Title = "Index all content",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description(
        "Writes all projects, users and figures to the enabled index targets, or to those that are named. "
            + "The resource cway://indexing/targets lists them."
    )]
    public async Task<CwayIndexResult> IndexAllContent(
        IProgress<ProgressNotificationValue> progress,
        [Description("Names of targets; by default all that are enabled."), MaxLength(20)] string[]? targets = null,
        CancellationToken ct = default
    ) => new(await RunAsync("index_all", null, targets, progress, ct));

    [McpServerTool(
        Name = "cway_quick_backup",
        Title = "Back up to files",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description("Writes all projects, users and figures to the enabled file targets.")]
    public async Task<CwayBackupResult> QuickBackup(
        IProgress<ProgressNotificationValue> progress,
        CancellationToken ct = default
    )
    {
        var files = (await TargetsAsync(ct)).Where(target => target.Enabled && target.Target.IsFile);
        return new(await RunAsync("index_all", null, [.. files.Select(target => target.Name)], progress, ct));
    }

    [McpServerTool(
        Name = "cway_index_project_content",
        Title = "Index one project",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description(
        "Writes one project with its figures to the index targets. In a file target it replaces nothing else."
    )]
    public async Task<CwayProjectIndexResult> IndexProjectContent(
        IProgress<ProgressNotificationValue> progress,
        [Description(CwayTools.ProjectId)] string project_id,
        [Description("Names of targets; by default all that are enabled."), MaxLength(20)] string[]? targets = null,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(project_id), project_id);
        return new(await RunAsync($"index_project_{id}", id, targets, progress, ct));
    }

    [McpServerTool(
        Name = "cway_configure_indexing_target",
        Title = "Enable or disable an index target",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description(
        "Enables or disables an index target of the server's settings and describes it. It cannot add targets or say "
            + "where they write: that is the operator's setting Cway:Targets."
    )]
    public async Task<CwayConfigured> ConfigureIndexingTarget(
        [Description("The target's name."), StringLength(100, MinimumLength = 1)] string name,
        [Description("As in the settings: file, elasticsearch or opensearch."), StringLength(20)] string platform,
        [Description("What it is for."), StringLength(500)] string description,
        [Description("false: nothing is written to it until it is enabled again.")] bool enabled = true,
        CancellationToken ct = default
    )
    {
        var target = options.Value.Targets.GetValueOrDefault(name) ?? throw UnknownTarget([name]);
        if (!target.Platform.Equals(platform, StringComparison.OrdinalIgnoreCase))
        {
            throw new McpException(
                $"The target {name} is of the platform {target.Platform}; only the operator changes it."
            );
        }

        var bytes = JsonSerializer.SerializeToUtf8Bytes(new CwayTargetChoice(enabled, description));
        await store.SetAsync(ChoiceOf(name), bytes, Kept, ct);
        return new(new(true, "updated", name, target.Platform));
    }

    [McpServerTool(
        Name = "cway_get_indexing_job_status",
        Title = "Get an indexing job",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Tells how an indexing job went. The last 100 jobs of this server are known.")]
    public CwayJobResult GetIndexingJobStatus(
        [Description("The job_id that the indexing tool returned."), StringLength(200, MinimumLength = 1)] string job_id
    )
    {
        var job = _jobs.LastOrDefault(job => job.JobId == job_id);
        return new(job, job is null ? "Job not found" : null);
    }

    internal IReadOnlyList<CwayIndexJob> Jobs => [.. _jobs];

    /// <summary>The targets of the settings, as callers have enabled or disabled them.</summary>
    internal async Task<
        IReadOnlyList<(string Name, CwayIndexTarget Target, bool Enabled, string Description)>
    > TargetsAsync(CancellationToken ct)
    {
        var targets = new List<(string, CwayIndexTarget, bool, string)>();
        foreach (var (name, target) in options.Value.Targets.OrderBy(target => target.Key, StringComparer.Ordinal))
        {
            var chosen = await store.GetAsync(ChoiceOf(name), ct) is { } bytes
                ? JsonSerializer.Deserialize<CwayTargetChoice>(bytes)
                : null;
            targets.Add((name, target, chosen?.Enabled ?? target.Enabled, chosen?.Description ?? target.Description));
        }

        return targets;
    }

    /// <summary>What would be written, and how many of each type.</summary>
    internal async Task<IReadOnlyList<CwayDocument>> DocumentsAsync(
        string? project,
        IProgress<ProgressNotificationValue>? progress,
        CancellationToken ct
    )
    {
        var workspace = await history.LoadAsync(progress, ct);
        var health = workspace.Projects.ToDictionary(facts => facts.Project.Id!, CwayFigures.HealthOf);
        var documents = workspace
            .Projects.Where(facts => project is null || facts.Project.Id == project)
            .Select(facts => new CwayDocument(
                $"project-{facts.Project.Id}",
                "project",
                facts.Project.Name ?? "",
                new
                {
                    project = facts.Project,
                    health = health[facts.Project.Id!],
                    timeline = CwayTemporalFigures.Timeline(facts, workspace),
                }
            ))
            .ToList();
        if (project is not null)
        {
            return documents.Count > 0
                ? documents
                : throw CwayShape.NotFound("Project", project, "cway_search_projects");
        }

        var (users, total, _) = await CwayUserTools.AllAsync(cway, null, 10_000, ct);
        documents.AddRange(users.Select(user => new CwayDocument($"user-{user.Id}", "user", user.FullName, user)));
        documents.Add(new("kpi-dashboard", "kpi", "KPI dashboard", CwayFigures.Dashboard(workspace, (int)total)));
        documents.Add(
            new(
                "temporal-kpi-dashboard",
                "temporal_kpi",
                "Temporal KPI dashboard",
                CwayTemporalFigures.Dashboard(workspace, 90)
            )
        );
        return documents;
    }

    private async Task<CwayIndexJob> RunAsync(
        string kind,
        string? project,
        string[]? names,
        IProgress<ProgressNotificationValue> progress,
        CancellationToken ct
    )
    {
        var all = await TargetsAsync(ct);
        if (names?.Except(all.Select(target => target.Name)).ToArray() is { Length: > 0 } unknown)
        {
            throw UnknownTarget(unknown);
        }

        var chosen = all.Where(target => names is null ? target.Enabled : names.Contains(target.Name)).ToArray();
        var started = time.GetUtcNow();
        var job = new CwayIndexJob(
            $"{kind}_{started.ToUnixTimeMilliseconds()}",
            "running",
            false,
            "",
            0,
            0,
            [],
            [],
            started,
            null
        );
        if (chosen.Length == 0)
        {
            return Finish(job, "No enabled targets found", 0, [], []);
        }

        await _writing.WaitAsync(ct); // two at once would write into one file
        try
        {
            var documents = await DocumentsAsync(project, progress, ct);
            var (completed, failed) = (new List<string>(), new List<string>());
            foreach (var (name, target, _, _) in chosen)
            {
                try
                {
                    await (
                        target.IsFile
                            ? WriteFileAsync(target, project, documents, ct)
                            : WriteBulkAsync(target, documents, ct)
                    );
                    completed.Add(name);
                }
                catch (Exception wrong)
                    when (wrong is HttpRequestException or IOException or UnauthorizedAccessException or McpException)
                {
                    failed.Add($"{name}: {Reason(wrong)}");
                }
            }

            return Finish(job, Message(completed, failed), documents.Count, completed, failed);
        }
        finally
        {
            _writing.Release();
        }
    }

    // What an upstream or the file system said may name folders.
    private static string Reason(Exception wrong) =>
        wrong is HttpRequestException or McpException ? wrong.Message : "the file could not be written";

    private static string Message(List<string> completed, List<string> failed) =>
        failed.Count == 0 ? $"Successfully indexed to {completed.Count} targets"
        : completed.Count == 0 ? $"Failed to index to any targets: {string.Join("; ", failed)}"
        : $"Partially successful: {completed.Count} targets completed; {string.Join("; ", failed)}";

    private CwayIndexJob Finish(
        CwayIndexJob job,
        string message,
        int documents,
        List<string> completed,
        List<string> failed
    )
    {
        var ended = time.GetUtcNow();
        var done = job with
        {
            Status = completed.Count > 0 ? "completed" : "failed",
            Success = completed.Count > 0 && failed.Count == 0,
            Message = message,
            DocumentsIndexed = completed.Count > 0 ? documents : 0,
            DurationSeconds = Math.Round((ended - job.StartedAt).TotalSeconds, 3),
            TargetsCompleted = completed,
            TargetsFailed = failed,
            CompletedAt = ended,
        };
        _jobs.Enqueue(done);
        while (_jobs.Count > MaxJobs)
        {
            _jobs.TryDequeue(out _);
        }

        return done;
    }

    // Written beside it and renamed, so that a reader never sees half a file. One project goes into a file of its own.
    private async Task WriteFileAsync(
        CwayIndexTarget target,
        string? project,
        IReadOnlyList<CwayDocument> documents,
        CancellationToken ct
    )
    {
        var folder = Path.GetFullPath(options.Value.DataFolder, host.ContentRootPath);
        Directory.CreateDirectory(folder);
        var name = project is null ? target.File : $"{Path.GetFileNameWithoutExtension(target.File)}-{project}.jsonl";
        var path = Path.Combine(folder, name);
        await using (var file = File.Create(path + ".tmp"))
        {
            foreach (var document in documents)
            {
                await file.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(document, CwayShape.Written), ct);
                file.WriteByte((byte)'\n');
            }
        }

        File.Move(path + ".tmp", path, overwrite: true);
    }

    // The bulk API: a line that says what to do, a line with the document; the answer lists what was refused.
    private async Task WriteBulkAsync(
        CwayIndexTarget target,
        IReadOnlyList<CwayDocument> documents,
        CancellationToken ct
    )
    {
        foreach (var chunk in documents.Chunk(BulkDocuments))
        {
            var body = new StringBuilder();
            foreach (var document in chunk)
            {
                body.Append(JsonSerializer.Serialize(new { index = new { _index = target.Index, _id = document.Id } }));
                body.Append('\n').Append(JsonSerializer.Serialize(document, CwayShape.Written)).Append('\n');
            }

            var address = new Uri($"{target.Url!.TrimEnd('/')}/_bulk");
            using var request = new HttpRequestMessage(HttpMethod.Post, address);
            request.Content = new StringContent(body.ToString(), Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
            if (target.ApiKey is { Length: > 0 } key)
            {
                request.Headers.Authorization = new("ApiKey", key);
            }

            using var response = await http.CreateClient(Upstream).SendAsync(request, ct);
            await CheckBulkAsync(response, ct);
        }
    }

    private static async Task CheckBulkAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new McpException($"the cluster answered {(int)response.StatusCode}");
        }

        try
        {
            using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(ct));
            if (answer.RootElement.GetProperty("errors").GetBoolean())
            {
                throw new McpException("the cluster refused some documents");
            }
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new McpException("the answer is not that of a bulk API");
        }
    }

    private McpException UnknownTarget(string[] names) =>
        new(
            $"There is no index target {string.Join(", ", names)}. "
                + (
                    options.Value.Targets.Count == 0
                        ? "The operator has configured none (Cway:Targets)."
                        : $"There are: {string.Join(", ", options.Value.Targets.Keys)}."
                )
        );

    private static string ChoiceOf(string name) => "cway/target/" + name;
}
