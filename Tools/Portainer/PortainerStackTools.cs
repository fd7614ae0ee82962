using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using MinimalMcp.Engine;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Portainer;

[McpServerToolType]
internal sealed partial class PortainerStackTools(PortainerClient portainer)
{
    private const string Stack = "Stack ID from portainer_list_stacks, for example 12.";
    private const string DryRun = "true checks that the stack exists and reports what would happen; nothing changes.";
    private const int MaxPartCharacters = 40_000,
        MaxFileCharacters = 1 << 20;

    [McpServerTool(
        Name = "portainer_list_stacks",
        Title = "List stacks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the stacks of Portainer (Compose, Swarm, Kubernetes) with ID, type, environment and status."
            + " Stacks that were started without Portainer have no ID, and the other stack tools do not take"
            + " them. To list a stack's containers call portainer_list_containers with stack."
    )]
    public async Task<StackList> ListStacks(
        [
            Description(
                "Environment ID from portainer_list_environments, for example 3. Default: the stacks of all"
                    + " environments."
            ),
            Range(1, int.MaxValue)
        ]
            int? endpoint_id = null,
        [Description("Maximum number of stacks, 1 to 200. Default 100."), Range(1, 200)] int limit = 100,
        [Description("Number of stacks to skip, for the next part of a long list. Default 0.")]
        [Range(0, int.MaxValue)]
            int offset = 0,
        CancellationToken ct = default
    )
    {
        // Portainer's own filter leaves out Swarm and Kubernetes stacks.
        var stacks = (await StacksAsync(ct))
            .Where(stack => endpoint_id is null || stack.EndpointId == endpoint_id)
            .ToArray();
        var found = stacks.Select(StackSummary.Of).ToList();
        string? failure = null;
        try
        {
            var environment = endpoint_id ?? await portainer.OnlyEnvironmentAsync(ct);
            found.AddRange(await OthersAsync(environment, stacks, ct));
        }
        catch (Exception e)
            when (e is McpException
                || (e is HttpRequestException { StatusCode: not HttpStatusCode.Unauthorized } && stacks.Length > 0)
            )
        {
            failure = $"Stacks that were started without Portainer are not listed: {e.Message}";
        }

        var page = new Page(limit, offset);
        var shown = page.Of(found);
        string?[] notes =
        [
            page.Note(found.Count, shown.Length),
            failure,
            found.Count == 0
                ? "A standard user of Portainer sees only own stacks and those shared with a team: if there should be"
                    + " some, the access token needs the permissions of another user."
                : null,
        ];
        var note = string.Join(' ', notes.OfType<string>());
        return new(found.Count, shown, note.Length > 0 ? note : null);
    }

    [McpServerTool(
        Name = "portainer_get_stack",
        Title = "Show a stack",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Show one stack of Portainer: type, status, environment, names of its variables and, with include_file, its"
            + " Compose file. Values that look like secrets are redacted. The file comes in parts of 40,000 characters."
    )]
    public async Task<StackDetails> GetStack(
        [Description(Stack), Range(1, int.MaxValue)] int stack_id,
        [Description("true adds the Compose file. Default false.")] bool include_file = false,
        [
            Description("Where in the file to begin, in characters. note has the value for the next part. Default 0."),
            Range(0, int.MaxValue)
        ]
            int file_offset = 0,
        CancellationToken ct = default
    )
    {
        var stack = await FindAsync(stack_id, ct);
        var (file, note) = include_file ? await FileAsync(stack_id, file_offset, ct) : (null, null);
        return new(
            stack.Id,
            stack.Name,
            StackSummary.TypeOf(stack),
            stack.EndpointId,
            StackSummary.StatusOf(stack),
            stack.EntryPoint,
            [.. (stack.Env ?? []).Select(Shown)],
            stack.CreatedBy,
            stack.CreationDate > 0 ? DateTimeOffset.FromUnixTimeSeconds(stack.CreationDate) : null,
            file,
            note
        );
    }

    [McpServerTool(
        Name = "portainer_start_stack",
        Title = "Start a stack",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Start an inactive stack: Portainer creates its containers and networks again. Returns \"was active already\""
            + " for an active one. Use portainer_start_container for a single container."
    )]
    public async Task<StackChange> StartStack(
        [Description(Stack), Range(1, int.MaxValue)] int stack_id,
        [Description(DryRun)] bool dry_run = false,
        CancellationToken ct = default
    ) => await ChangeAsync(await FindAsync(stack_id, ct), Change.Start, dry_run, ct);

    [McpServerTool(
        Name = "portainer_stop_stack",
        Title = "Stop a stack",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Stop an active stack. Its containers and networks are removed, as `docker compose down` does; its"
            + " volumes stay, and portainer_start_stack creates the rest again. Use portainer_stop_container for a"
            + " single container."
    )]
    public async Task<StackChange> StopStack(
        [Description(Stack), Range(1, int.MaxValue)] int stack_id,
        [Description(
            "true also stops the stack of Portainer or of this server, which then cannot be started again from here."
                + " Default false."
        )]
            bool force = false,
        [Description(DryRun)] bool dry_run = false,
        CancellationToken ct = default
    )
    {
        var stack = await FindAsync(stack_id, ct);
        var what =
            force || stack.Type == PortainerStack.Kubernetes || stack.Status == PortainerStack.Inactive
                ? null
                : await portainer.AskAsync(
                    stack.EndpointId,
                    engine => ProtectedContainers.FindInStackAsync(engine, stack.Name, ct),
                    ct
                );
        return what is null
            ? await ChangeAsync(stack, Change.Stop, dry_run, ct)
            : throw new McpException(
                $"The stack {stack.Name} contains {what}, and this call goes through it."
                    + " Set force to true if you mean it."
            );
    }

    private async Task<List<PortainerStack>> StacksAsync(CancellationToken ct) =>
        PortainerClient.Read<List<PortainerStack>>(await portainer.SendAsync(HttpMethod.Get, "stacks", ct));

    private async Task<PortainerStack> FindAsync(int id, CancellationToken ct) =>
        PortainerClient.Read<PortainerStack>(await portainer.SendAsync(HttpMethod.Get, $"stacks/{id}", ct));

    // Docker knows stacks by their containers' labels only.
    private async Task<IEnumerable<StackSummary>> OthersAsync(
        int environment,
        PortainerStack[] known,
        CancellationToken ct
    )
    {
        var containers = await portainer.AskAsync(
            environment,
            engine => engine.Containers.ListContainersAsync(new() { All = true }, ct),
            ct
        );
        return containers
            .Where(container => ContainerSummary.StackOf(container?.Labels) is not null)
            .GroupBy(container => ContainerSummary.StackOf(container.Labels)!)
            .Where(stack => !known.Any(one => one.Name.Equals(stack.Key, StringComparison.OrdinalIgnoreCase)))
            .OrderBy(stack => stack.Key, StringComparer.Ordinal)
            .Select(stack => new StackSummary(
                null,
                stack.Key,
                stack.First().Labels.ContainsKey("com.docker.compose.project") ? "compose" : "swarm",
                environment,
                stack.Any(container => container.State == "running") ? "active" : "inactive"
            ));
    }

    // Portainer wants the environment that it knows itself. It answers when Compose has ended.
    private async Task<StackChange> ChangeAsync(PortainerStack stack, Change change, bool dryRun, CancellationToken ct)
    {
        if (stack.Status == change.Status)
        {
            return new(stack.Id, stack.Name, change.Already);
        }

        if (dryRun)
        {
            return new(stack.Id, stack.Name, $"would be {change.Done}; it is {StackSummary.StatusOf(stack)} now");
        }

        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"stacks/{stack.Id}/{change.Verb}?endpointId={stack.EndpointId}"
        );
        var after = PortainerClient.Read<PortainerStack>(await portainer.SendAsync(HttpMethod.Post, path, ct));
        return after.Status == change.Status
            ? new(stack.Id, after.Name, change.Done)
            : throw new HttpRequestException(
                $"Portainer accepted the request, but the stack {after.Name} is {StackSummary.StatusOf(after)}."
                    + " Check portainer_list_containers before you try again.",
                null,
                HttpStatusCode.BadGateway
            );
    }

    private string Shown(PortainerVariable variable) =>
        $"{variable.Name}={(portainer.Options.ShowEnvironment ? variable.Value : SecretRedactor.Redacted)}";

    // A value that begins before the part may end in it, so the whole file is redacted.
    private async Task<(string File, string? Note)> FileAsync(int id, int offset, CancellationToken ct)
    {
        var answer = await portainer.SendAsync(HttpMethod.Get, $"stacks/{id}/file", ct);
        var whole = PortainerClient.Read<PortainerStackFile>(answer).StackFileContent ?? "";
        var file = SecretRedactor.Redact(whole.Length > MaxFileCharacters ? whole[..MaxFileCharacters] : whole);
        if (offset > 0 && offset >= file.Length)
        {
            throw new McpException(
                $"file_offset must be below {file.Length}, the length of the file; you sent {offset}."
            );
        }

        var end = Math.Min(file.Length, offset + MaxPartCharacters);
        end -= end < file.Length && char.IsHighSurrogate(file[end - 1]) ? 1 : 0;
        return (
            file[offset..end],
            end == file.Length
                ? null
                : $"Characters {offset} to {end} of {file.Length}. Set file_offset to {end} for the next part."
        );
    }

    private sealed record Change(string Verb, int Status, string Done, string Already)
    {
        public static readonly Change Start = new("start", PortainerStack.Active, "started", "was active already"),
            Stop = new("stop", PortainerStack.Inactive, "stopped", "was inactive already");
    }
}
