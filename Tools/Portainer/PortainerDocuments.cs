using System.Globalization;
using System.Text.RegularExpressions;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Portainer;

/// <summary>Stacks as documents for search and fetch. Portainer has no search, so their names are compared.</summary>
internal sealed partial class PortainerStackTools
{
    private const int MaxDocuments = 10;

    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "portainer_list_stacks")]
    public async Task<IReadOnlyList<StackDocument>> SearchDocuments(string query, CancellationToken ct)
    {
        var words = Word().Matches(query).Select(word => word.Value).Distinct(StringComparer.OrdinalIgnoreCase);
        var stacks = await StacksAsync(ct);
        return
        [
            .. stacks
                .Select(stack =>
                    (
                        Stack: stack,
                        Hits: words.Count(word => stack.Name.Contains(word, StringComparison.OrdinalIgnoreCase))
                    )
                )
                .Where(found => found.Hits > 0)
                .OrderByDescending(found => found.Hits)
                .ThenBy(found => found.Stack.Name, StringComparer.Ordinal)
                .Take(MaxDocuments)
                .Select(found => new StackDocument(
                    $"stack/{found.Stack.Id}",
                    found.Stack.Name,
                    LinkTo(found.Stack.EndpointId, found.Stack.Name, found.Stack.Id, found.Stack.Type)
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

        var stack = await GetStack(stackId, include_file: true, ct: ct);
        var variables = stack.Environment.Count > 0 ? $"\n\nEnvironment:\n{string.Join('\n', stack.Environment)}" : "";
        var rest = stack.Note is null ? "" : $"\n\n{stack.Note.Replace("Set", "Call portainer_get_stack and set")}";
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
                    "swarm" => PortainerStack.Swarm,
                    "kubernetes" => PortainerStack.Kubernetes,
                    _ => PortainerStack.Compose,
                }
            ),
            $"{stack.File}{rest}{variables}",
            facts.Where(fact => fact.Value is not null).ToDictionary(fact => fact.Name, fact => fact.Value!)
        );
    }

    // Portainer's pages have their path behind the #. Kubernetes has none for one stack.
    private string LinkTo(int environment, string name, int id, int type)
    {
        var url = portainer.Options.PublicUrl is { Length: > 0 } known ? known : portainer.Options.Url;
        var open = (url ?? "").TrimEnd('/');
        var path = open.EndsWith("/api", StringComparison.Ordinal) ? open[..^4] : open;
        return $"{path}/#!/{environment}/"
            + (
                type == PortainerStack.Kubernetes
                    ? "kubernetes/applications"
                    : $"docker/stacks/{Uri.EscapeDataString(name)}?id={id}&type={type}&regular=true"
            );
    }

    // Words of one letter are in almost every name.
    [GeneratedRegex(@"\w{2,}")]
    private static partial Regex Word();
}
