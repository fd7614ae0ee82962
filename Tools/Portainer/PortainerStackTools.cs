using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using Docker.DotNet.Models;
using MinimalMcp.Engine;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Portainer;

[McpServerToolType]
public sealed partial class PortainerStackTools(PortainerClient portainer)
{
    private const int MaxFileCharacters = 40_000;

    // Portainer's numbers for a stack's status and type.
    private const int Active = 1,
        Inactive = 2,
        Kubernetes = 3;

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
        "Lists the stacks of Portainer, and the Compose projects that were started without it, which have no" + " id."
    )]
    public async Task<StackList> ListStacks(
        [Description("Only those of this environment, from portainer_list_environments."), Range(1, int.MaxValue)]
            int? endpoint_id = null,
        CancellationToken ct = default
    )
    {
        // Portainer's own filter leaves out Swarm stacks.
        var stacks = PortainerClient
            .Read<List<PortainerStack>>(await portainer.SendAsync(HttpMethod.Get, "stacks", ct))
            .Where(stack => endpoint_id is null || stack.EndpointId == endpoint_id)
            .ToArray();
        var views = stacks.Select(StackView.Of).ToList();
        string? note = null;
        try
        {
            var environment = endpoint_id ?? await portainer.OnlyEnvironmentAsync(ct);
            views.AddRange(await OthersAsync(environment, stacks, ct));
        }
        catch (Exception e)
            when (e is McpException
                || (e is HttpRequestException { StatusCode: not HttpStatusCode.Unauthorized } && stacks.Length > 0)
            )
        {
            note = $"Compose projects that were started without Portainer are not listed: {e.Message}";
        }

        return new(views, note);
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
        "Shows a stack of Portainer: status, environment, names of its variables and, on request, its Compose"
            + " file."
    )]
    public async Task<StackReport> GetStack(
        [Description("Stack ID, from portainer_list_stacks."), Range(1, int.MaxValue)] int stack_id,
        [Description("true adds the Compose file, without what looks like a secret.")] bool include_file = false,
        CancellationToken ct = default
    )
    {
        var stack = await FindAsync(stack_id, ct);
        var file = include_file ? await FileAsync(stack_id, ct) : null;
        DateTimeOffset? made = stack.CreationDate > 0 ? DateTimeOffset.FromUnixTimeSeconds(stack.CreationDate) : null;
        return new(
            stack.Id,
            stack.Name,
            StackView.TypeOf(stack),
            stack.EndpointId,
            StackView.StatusOf(stack),
            stack.EntryPoint,
            [.. (stack.Env ?? []).Select(Shown)],
            stack.CreatedBy,
            made,
            file
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
    [Description("Starts a stack that was stopped: its containers and networks are made again.")]
    public async Task<StackChange> StartStack(
        [Description("Stack ID, from portainer_list_stacks."), Range(1, int.MaxValue)] int stack_id,
        CancellationToken ct = default
    ) => await ChangeAsync(await FindAsync(stack_id, ct), "start", Active, "started", "was active already", ct);

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
        "Stops a stack. Its containers and networks are removed, as `compose down` does; volumes stay, and"
            + " portainer_start_stack makes the rest again."
    )]
    public async Task<StackChange> StopStack(
        [Description("Stack ID, from portainer_list_stacks."), Range(1, int.MaxValue)] int stack_id,
        [Description(
            "true also stops the stack of Portainer itself or of this server, which can then not be started"
                + " again from here."
        )]
            bool force = false,
        CancellationToken ct = default
    )
    {
        var stack = await FindAsync(stack_id, ct);
        var what =
            force || stack.Type == Kubernetes || stack.Status == Inactive
                ? null
                : await portainer.AskAsync(
                    stack.EndpointId,
                    engine => PortainerGuard.WhatOfStackAsync(engine, stack.Name, ct),
                    ct
                );
        return what is null
            ? await ChangeAsync(stack, "stop", Inactive, "stopped", "was inactive already", ct)
            : throw new McpException(
                $"The stack {stack.Name} contains {what}, through which this call goes."
                    + " If that is meant, call again with force true."
            );
    }

    // What Docker has and Portainer did not start.
    private async Task<IEnumerable<StackView>> OthersAsync(
        int environment,
        PortainerStack[] known,
        CancellationToken ct
    )
    {
        var ofProjects = EngineClient.Filters(("label", "com.docker.compose.project"));
        ContainersListParameters all = new() { All = true, Filters = ofProjects };
        var containers = await portainer.AskAsync(
            environment,
            engine => engine.Containers.ListContainersAsync(all, ct),
            ct
        );
        return containers
            .Select(ContainerView.Of)
            .Where(container => container.Stack is not null)
            .GroupBy(container => container.Stack!)
            .Where(project => known.All(stack => stack.Name != project.Key))
            .OrderBy(project => project.Key, StringComparer.Ordinal)
            .Select(project => new StackView(null, project.Key, "compose", environment, StatusOf(project)));
    }

    private static string StatusOf(IEnumerable<ContainerView> project) =>
        project.Any(container => container.State == "running") ? "active" : "inactive";

    // Portainer wants to be told the environment that it knows itself. It answers when Compose is done.
    private async Task<StackChange> ChangeAsync(
        PortainerStack stack,
        string verb,
        int wished,
        string done,
        string already,
        CancellationToken ct
    )
    {
        if (stack.Status == wished)
        {
            return new(stack.Id, stack.Name, already);
        }

        var change = string.Create(
            CultureInfo.InvariantCulture,
            $"stacks/{stack.Id}/{verb}?endpointId={stack.EndpointId}"
        );
        var after = PortainerClient.Read<PortainerStack>(await portainer.SendAsync(HttpMethod.Post, change, ct));
        return after.Status == wished
            ? new(stack.Id, after.Name, done)
            : throw new HttpRequestException(
                $"Portainer took the request, but the stack {after.Name} is {StackView.StatusOf(after)}."
                    + " Look at portainer_list_containers before trying again.",
                null,
                HttpStatusCode.BadGateway
            );
    }

    private string Shown(PortainerVariable variable) =>
        $"{variable.Name}={(portainer.Options.ShowEnvironment ? variable.Value : SecretText.Hidden)}";

    private async Task<string> FileAsync(int id, CancellationToken ct)
    {
        var answer = await portainer.SendAsync(HttpMethod.Get, $"stacks/{id}/file", ct);
        var file = PortainerClient.Read<PortainerStackFile>(answer).StackFileContent ?? "";
        // A value that begins before the cut may end behind it, so the cut comes last; and a first one bounds the work.
        var clean = SecretText.Hide(file.Length > 2 * MaxFileCharacters ? file[..(2 * MaxFileCharacters)] : file);
        return clean.Length > MaxFileCharacters ? clean[..MaxFileCharacters] + "\n[cut]" : clean;
    }

    private async Task<PortainerStack> FindAsync(int id, CancellationToken ct) =>
        PortainerClient.Read<PortainerStack>(await portainer.SendAsync(HttpMethod.Get, $"stacks/{id}", ct));
}
