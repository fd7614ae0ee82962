using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using MinimalMcp.Engine;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Portainer;

[McpServerToolType]
public sealed partial class PortainerStackTools(PortainerClient portainer)
{
    private const int MaxFileCharacters = 40_000;

    [McpServerTool(Name = "portainer_list_stacks", Title = "List stacks", ReadOnly = true, Destructive = false, Idempotent = true, OpenWorld = false, UseStructuredContent = true)]
    [Description("Lists the stacks of Portainer, and the Compose projects that were started without it, which have no id.")]
    public async Task<StackList> ListStacks(
        [Description("Only those of this environment, from portainer_list_environments."), Range(1, int.MaxValue)] int? endpoint_id = null,
        CancellationToken ct = default)
    {
        var filter = endpoint_id is { } one ? "?filters=" + Uri.EscapeDataString(JsonSerializer.Serialize(new { EndpointID = one })) : "";
        var stacks = PortainerClient.Read<List<PortainerStack>>(await portainer.SendAsync(HttpMethod.Get, "stacks" + filter, ct)).Where(stack => endpoint_id is null || stack.EndpointId == endpoint_id).ToArray();
        var views = stacks.Select(StackView.Of).ToList();
        string? note = null;
        try
        {
            var environment = endpoint_id ?? await portainer.OnlyEnvironmentAsync(ct);
            var containers = await portainer.AskAsync(environment, engine => engine.ContainersAsync(all: true, ct, ("label", "com.docker.compose.project")), ct);
            views.AddRange(containers.Select(ContainerView.Of).Where(container => container.Stack is not null).GroupBy(container => container.Stack!).Where(project => stacks.All(stack => stack.Name != project.Key)).OrderBy(project => project.Key, StringComparer.Ordinal)
                .Select(project => new StackView(null, project.Key, "compose, started outside of Portainer", environment, project.Any(container => container.State == "running") ? "active" : "inactive")));
        }
        catch (McpException e)
        {
            note = $"Compose projects that were started without Portainer are not listed: {e.Message}";
        }

        return new(views, note);
    }

    [McpServerTool(Name = "portainer_get_stack", Title = "Show a stack", ReadOnly = true, Destructive = false, Idempotent = true, OpenWorld = false, UseStructuredContent = true)]
    [Description("Shows a stack of Portainer: status, environment, names of its variables and, on request, its Compose file.")]
    public async Task<StackReport> GetStack(
        [Description("Stack ID, from portainer_list_stacks."), Range(1, int.MaxValue)] int stack_id,
        [Description("true adds the Compose file, without what looks like a secret.")] bool include_file = false,
        CancellationToken ct = default)
    {
        var stack = await FindAsync(stack_id, ct);
        var file = include_file ? PortainerClient.Read<PortainerStackFile>(await portainer.SendAsync(HttpMethod.Get, $"stacks/{stack_id}/file", ct)).StackFileContent ?? "" : null;
        return new(
            stack.Id, stack.Name, StackView.TypeOf(stack), stack.EndpointId, StackView.StatusOf(stack), stack.EntryPoint,
            [.. (stack.Env ?? []).Select(variable => $"{variable.Name}={(portainer.Options.ShowEnvironment ? variable.Value : "[REDACTED]")}")],
            stack.CreatedBy, stack.CreationDate > 0 ? DateTimeOffset.FromUnixTimeSeconds(stack.CreationDate) : null,
            file is { Length: > MaxFileCharacters } ? ContainerReport.WithoutSecrets(file[..MaxFileCharacters]) + "\n[cut]" : file is null ? null : ContainerReport.WithoutSecrets(file));
    }

    [McpServerTool(Name = "portainer_start_stack", Title = "Start a stack", ReadOnly = false, Destructive = false, Idempotent = true, OpenWorld = false, UseStructuredContent = true)]
    [Description("Starts a stack that was stopped: its containers and networks are made again.")]
    public Task<StackChange> StartStack(
        [Description("Stack ID, from portainer_list_stacks."), Range(1, int.MaxValue)] int stack_id,
        CancellationToken ct = default) => ChangeAsync(stack_id, "start", wished: 1, "started", "was active already", ct);

    [McpServerTool(Name = "portainer_stop_stack", Title = "Stop a stack", ReadOnly = false, Destructive = true, Idempotent = true, OpenWorld = false, UseStructuredContent = true)]
    [Description("Stops a stack. Its containers and networks are removed, as `compose down` does; volumes stay, and portainer_start_stack makes the rest again.")]
    public Task<StackChange> StopStack(
        [Description("Stack ID, from portainer_list_stacks."), Range(1, int.MaxValue)] int stack_id,
        CancellationToken ct = default) => ChangeAsync(stack_id, "stop", wished: 2, "stopped", "was inactive already", ct);

    // Portainer wants to be told the environment that it knows itself. It answers when Compose is done.
    private async Task<StackChange> ChangeAsync(int id, string verb, int wished, string done, string already, CancellationToken ct)
    {
        var stack = await FindAsync(id, ct);
        if (stack.Status == wished)
        {
            return new(id, stack.Name, already);
        }

        var after = PortainerClient.Read<PortainerStack>(await portainer.SendAsync(HttpMethod.Post, $"stacks/{id}/{verb}?endpointId={stack.EndpointId.ToString(CultureInfo.InvariantCulture)}", ct));
        return after.Status == wished ? new(id, after.Name, done)
            : throw new HttpRequestException($"Portainer took the request, but the stack {after.Name} is {StackView.StatusOf(after)}. Look at portainer_list_containers before trying again.", null, System.Net.HttpStatusCode.BadGateway);
    }

    private async Task<PortainerStack> FindAsync(int id, CancellationToken ct) => PortainerClient.Read<PortainerStack>(await portainer.SendAsync(HttpMethod.Get, $"stacks/{id}", ct));
}
