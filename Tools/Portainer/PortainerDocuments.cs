using System.Globalization;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Portainer;

/// <summary>Stacks as documents, for a host that looks into all systems at once (search and fetch). Portainer has no search: their names are compared.</summary>
public sealed partial class PortainerStackTools
{
    private const int MaxDocuments = 10;

    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "portainer_list_stacks")]
    public async Task<IReadOnlyList<StackDocument>> SearchDocuments(string query, CancellationToken ct)
    {
        var words = query.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var stacks = PortainerClient.Read<List<PortainerStack>>(
            await portainer.SendAsync(HttpMethod.Get, "stacks", ct)
        );
        return
        [
            .. stacks
                .Where(stack => words.All(word => stack.Name.Contains(word, StringComparison.OrdinalIgnoreCase)))
                .OrderBy(stack => stack.Name, StringComparer.Ordinal)
                .Take(MaxDocuments)
                .Select(stack => new StackDocument(
                    $"stack/{stack.Id}",
                    stack.Name,
                    LinkTo(stack.EndpointId, stack.Name, stack.Id, stack.Type)
                )),
        ];
    }

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "portainer_get_stack")]
    public async Task<StackDocument?> FetchDocument(string id, CancellationToken ct)
    {
        if (
            id.Split('/') is not ["stack", var number]
            || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var stackId)
            || stackId < 1
        )
        {
            return null;
        }

        var stack = await GetStack(stackId, include_file: true, ct);
        var environment =
            stack.Environment.Count > 0 ? $"\n\nEnvironment:\n{string.Join('\n', stack.Environment)}" : "";
        var facts = new (string Name, string? Value)[]
        {
            ("type", stack.Type),
            ("status", stack.Status),
            ("endpoint_id", stack.EndpointId.ToString(CultureInfo.InvariantCulture)),
            ("created_by", stack.CreatedBy),
            ("created", stack.Created?.ToString("O", CultureInfo.InvariantCulture)),
        };
        return new(
            id,
            stack.Name,
            LinkTo(
                stack.EndpointId,
                stack.Name,
                stack.Id,
                stack.Type switch
                {
                    "swarm" => 1,
                    "kubernetes" => 3,
                    _ => 2,
                }
            ),
            $"{stack.File}{environment}",
            facts.Where(fact => fact.Value is not null).ToDictionary(fact => fact.Name, fact => fact.Value!)
        );
    }

    // Its pages are told apart behind the #. Kubernetes has none for one stack.
    private string LinkTo(int environment, string name, int id, int type)
    {
        var open = (
            (portainer.Options.PublicUrl is { Length: > 0 } known ? known : portainer.Options.Url) ?? ""
        ).TrimEnd('/');
        var path = open.EndsWith("/api", StringComparison.Ordinal) ? open[..^4] : open;
        return $"{path}/#!/{environment}/"
            + (
                type == 3
                    ? "kubernetes/applications"
                    : $"docker/stacks/{Uri.EscapeDataString(name)}?id={id}&type={type}&regular=true"
            );
    }
}

public sealed record StackDocument(
    string Id,
    string Title,
    string Url,
    string Text = "",
    IReadOnlyDictionary<string, string>? Metadata = null
);
