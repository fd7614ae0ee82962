using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Tool = ModelContextProtocol.Protocol.Tool;

namespace MinimalMcp.Hub;

/// <summary>
/// Reads the lists of a server, entry by entry: the SDK's own methods lose a whole list for one entry that breaks the
/// schema of MCP.
/// </summary>
internal sealed class UpstreamLists(LogRing log)
{
    private const int MaxPages = 100,
        MaxEntries = 5000,
        MaxBytes = 4 << 20,
        MaxNotices = 50,
        MaxName = 100;

    private HashSet<string> _noticed = [];

    public async Task<ServerLists> ReadAsync(McpClient client, CancellationToken cancellationToken)
    {
        var reading = new Reading(client, cancellationToken);
        var has = client.ServerCapabilities;
        var lists = new ServerLists(
            await reading.ReadAsync(RequestMethods.ToolsList, "tools", has.Tools is not null, ToolOf),
            await reading.ReadAsync(RequestMethods.ResourcesList, "resources", has.Resources is not null, entry =>
                EntryOf<Resource>(entry, "name", "uri")
            ),
            await reading.ReadAsync(
                RequestMethods.ResourcesTemplatesList,
                "resourceTemplates",
                has.Resources is not null,
                entry => EntryOf<ResourceTemplate>(entry, "name", "uriTemplate")
            ),
            await reading.ReadAsync(RequestMethods.PromptsList, "prompts", has.Prompts is not null, entry =>
                EntryOf<Prompt>(entry, "name")
            )
        );
        foreach (var notice in reading.Notices.Where(notice => !_noticed.Contains(notice)))
        {
            log.Notice(notice);
        }

        _noticed = [.. reading.Notices];
        return lists;
    }

    // What MCP demands of a tool's schemas, and the SDK's Tool with it: an object at the root.
    private static Tool ToolOf(JsonObject entry)
    {
        var input = entry["inputSchema"] as JsonObject ?? [];
        input["type"] = "object";
        entry["inputSchema"] = input.DeepClone();
        if (entry["outputSchema"] is not JsonObject output || !IsObject(output))
        {
            entry.Remove("outputSchema");
        }

        try
        {
            return EntryOf<Tool>(entry, "name");
        }
        catch (Exception broken) when (IsUnreadable(broken))
        {
            // Hints, icons and what else is optional.
            return EntryOf<Tool>(
                new()
                {
                    ["name"] = entry["name"]?.DeepClone(),
                    ["description"] = entry["description"]?.DeepClone(),
                    ["inputSchema"] = input.DeepClone(),
                },
                "name"
            );
        }
    }

    private static bool IsObject(JsonObject schema)
    {
        if (!schema.ContainsKey("type") && schema["properties"] is JsonObject)
        {
            schema["type"] = "object";
        }

        return schema["type"] is JsonValue type && type.TryGetValue<string>(out var name) && name == "object";
    }

    private static T EntryOf<T>(JsonObject entry, params ReadOnlySpan<string> required)
    {
        foreach (var member in required)
        {
            // The SDK takes null for a text that is required.
            if (entry[member] is not JsonValue value || !value.TryGetValue<string>(out var text) || text.Length == 0)
            {
                throw new FormatException();
            }
        }

        return entry.Deserialize(McpTypeInfo.Of<T>()) ?? throw new JsonException();
    }

    // Members that occur twice, wrong kinds, and what setters of the SDK refuse.
    private static bool IsUnreadable(Exception failure) =>
        failure is JsonException or ArgumentException or InvalidOperationException or FormatException;

    private sealed class Reading(McpClient client, CancellationToken cancellationToken)
    {
        private readonly List<string> _notices = [];
        private int _left,
            _entries,
            _bytes;

        public IReadOnlyList<string> Notices =>
            _left <= MaxNotices
                ? _notices
                : [.. _notices, $"{_left - MaxNotices} more entries of its lists cannot be read and are left out."];

        // Servers list what they do not declare; older ones answer any unknown method with -32602.
        public async Task<IReadOnlyList<T>> ReadAsync<T>(
            string method,
            string member,
            bool declared,
            Func<JsonObject, T> read
        )
        {
            List<T> all = [];
            string? cursor = null;
            for (var page = 0; page < MaxPages; page++)
            {
                JsonNode? result;
                try
                {
                    var request = new JsonRpcRequest
                    {
                        Method = method,
                        Params = cursor is null ? new JsonObject() : new JsonObject { ["cursor"] = cursor },
                    };
                    result = (await client.SendRequestAsync(request, cancellationToken)).Result;
                }
                catch (McpProtocolException failure)
                    when (page == 0 && (!declared || failure.ErrorCode is McpErrorCode.MethodNotFound))
                {
                    return [];
                }

                var (entries, next) = Page(result, method, member);
                Take(entries);
                foreach (var entry in entries)
                {
                    Add(all, entry, member, read);
                }

                if (string.IsNullOrEmpty(next) || next == cursor)
                {
                    return all;
                }

                cursor = next;
            }

            throw new IOException($"Its list has more than {MaxPages} pages.");
        }

        private static (JsonArray Entries, string? Next) Page(JsonNode? result, string method, string member)
        {
            try
            {
                var next =
                    result?["nextCursor"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
                return (result?[member] as JsonArray ?? throw new FormatException(), next);
            }
            catch (Exception broken) when (IsUnreadable(broken))
            {
                throw new IOException($"Its answer to {method} has no list of {member}.", broken);
            }
        }

        private void Add<T>(List<T> all, JsonNode? entry, string member, Func<JsonObject, T> read)
        {
            try
            {
                all.Add(read(entry as JsonObject ?? throw new FormatException()));
            }
            catch (Exception broken) when (IsUnreadable(broken))
            {
                if (++_left <= MaxNotices)
                {
                    _notices.Add($"An entry of its {member} cannot be read and is left out: {Named(entry)}.");
                }
            }
        }

        private void Take(JsonArray entries)
        {
            _entries += entries.Count;
            _bytes += JsonSerializer.SerializeToUtf8Bytes(entries, RecordJson.Default.JsonArray).Length;
            if (_entries > MaxEntries || _bytes > MaxBytes)
            {
                throw new IOException(
                    $"Its lists have more than {MaxEntries} entries or {MaxBytes} bytes, which is the limit."
                );
            }
        }

        private static string Named(JsonNode? entry)
        {
            try
            {
                var text = entry is JsonObject ? (entry["name"] ?? entry)?.ToJsonString() : entry?.ToJsonString();
                return text is null ? "null"
                    : text.Length > MaxName ? text[..MaxName] + "..."
                    : text;
            }
            catch (Exception broken) when (IsUnreadable(broken))
            {
                return "it has a member twice";
            }
        }
    }
}
