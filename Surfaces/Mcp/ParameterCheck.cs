using System.Text.Json;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Refuses parameters that the SDK would call an internal error, or accept, and names them: of a wrong kind, or about a
/// prompt, resource or argument that is not there.
/// </summary>
internal static class ParameterCheck
{
    private static readonly string[] Levels =
    [
        "debug",
        "info",
        "notice",
        "warning",
        "error",
        "critical",
        "alert",
        "emergency",
    ];

    private static readonly (string Name, JsonValueKind Kind, bool Required)[] Subject =
        [("name", JsonValueKind.String, true), ("arguments", JsonValueKind.Object, false)],
        Uri = [("uri", JsonValueKind.String, true)],
        Page = [("cursor", JsonValueKind.String, false)],
        Reference = [("ref", JsonValueKind.Object, true), ("argument", JsonValueKind.Object, true)],
        Level = [("level", JsonValueKind.String, true)];

    /// <param name="options">What the SDK's server knows; read only for the methods that are about it.</param>
    /// <param name="view">Other servers, which know prompts and resources too.</param>
    /// <param name="offersLogging">Whether there may be log messages.</param>
    public static void Check(
        in JsonRpcEnvelope envelope,
        Lazy<McpServerOptions> options,
        ServerView view,
        Func<bool> offersLogging
    )
    {
        if (!envelope.IsRequest)
        {
            return;
        }

        if (envelope.Method is "logging/setLevel" && !offersLogging())
        {
            // As for any method of a capability that was not offered (lifecycle, "Capability Negotiation").
            throw new JsonRpcException(
                JsonRpcErrorCode.MethodNotFound,
                "Method not found: logging/setLevel. This server does not offer logging.",
                envelope.Id,
                StatusCodes.Status200OK
            );
        }

        foreach (var (name, kind, required) in Of(envelope.Method!))
        {
            RequireKind(envelope, envelope.Params, envelope.Method!, name, kind, required);
        }

        switch (envelope.Method)
        {
            case "prompts/get":
                RequirePromptArguments(envelope, options.Value, view);
                break;
            case "logging/setLevel" when !Levels.Contains(Text(envelope.Params, "level"), StringComparer.Ordinal):
                throw Refused($"\"level\" must be one of {string.Join(", ", Levels)}", envelope);
            case "completion/complete":
                RequireReference(envelope, options.Value, view);
                break;
            case "resources/subscribe" or "resources/unsubscribe":
                RequireResource(envelope, options.Value, view);
                break;
            case "prompts/list" when options.Value.Handlers.ListPromptsHandler is null:
            case "resources/list" when options.Value.Handlers.ListResourcesHandler is null:
            case "resources/templates/list" when options.Value.Handlers.ListResourceTemplatesHandler is null:
                RequireNoCursor(envelope);
                break;
        }
    }

    private static (string Name, JsonValueKind Kind, bool Required)[] Of(string method) =>
        method switch
        {
            "prompts/get" => Subject,
            "resources/read" or "resources/subscribe" or "resources/unsubscribe" => Uri,
            "tools/list" or "prompts/list" or "resources/list" or "resources/templates/list" => Page,
            "completion/complete" => Reference,
            "logging/setLevel" => Level,
            _ => [],
        };

    private static void RequirePromptArguments(in JsonRpcEnvelope envelope, McpServerOptions options, ServerView view)
    {
        var name = Text(envelope.Params, "name")!;
        if (Prompt(options, view, name) is not { } prompt)
        {
            return; // the SDK says that there is none, or another handler knows it
        }

        var known = prompt.Arguments ?? [];
        var given = envelope.Param("arguments"u8);
        foreach (var argument in given.ValueKind is JsonValueKind.Object ? given.EnumerateObject() : default)
        {
            if (known.All(one => one.Name != argument.Name))
            {
                var takes = known.Count == 0 ? "none" : string.Join(", ", known.Select(one => one.Name));
                throw Refused(
                    $"prompt \"{name}\" has no argument \"{Shown(argument.Name)}\"; it takes: {takes}",
                    envelope
                );
            }

            if (argument.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
            {
                throw Refused($"argument \"{argument.Name}\" of prompt \"{name}\" must be a string", envelope);
            }
        }

        foreach (var argument in known)
        {
            if (argument.Required is true && Text(given, argument.Name) is null)
            {
                throw Refused($"prompt \"{name}\" needs the argument \"{argument.Name}\"", envelope);
            }
        }
    }

    private static void RequireReference(in JsonRpcEnvelope envelope, McpServerOptions options, ServerView view)
    {
        var (reference, argument) = (envelope.Param("ref"u8), envelope.Param("argument"u8));
        RequireKind(envelope, argument, "\"argument\"", "name", JsonValueKind.String, true);
        RequireKind(envelope, argument, "\"argument\"", "value", JsonValueKind.String, true);
        var name = Text(argument, "name")!;
        switch (Text(reference, "type"))
        {
            case "ref/prompt":
                RequireKind(envelope, reference, "\"ref\"", "name", JsonValueKind.String, true);
                var promptName = Text(reference, "name")!;
                if (Prompt(options, view, promptName) is not { } prompt)
                {
                    if (options.Handlers.GetPromptHandler is not null)
                    {
                        return; // that handler may know it
                    }

                    throw Refused($"there is no prompt \"{Shown(promptName)}\" (\"ref.name\")", envelope);
                }

                if (prompt.Arguments?.Any(one => one.Name == name) is not true)
                {
                    throw Refused(
                        $"prompt \"{promptName}\" has no argument \"{Shown(name)}\" (\"argument.name\")",
                        envelope
                    );
                }

                break;
            case "ref/resource":
                RequireKind(envelope, reference, "\"ref\"", "uri", JsonValueKind.String, true);
                var uri = Text(reference, "uri")!;
                var resources = options.ResourceCollection;
                if (
                    options.Handlers.ReadResourceHandler is null
                    && view.FindTemplate(uri) is null
                    && resources?.Any(one => one.ProtocolResourceTemplate.UriTemplate == uri) is not true
                )
                {
                    throw Refused($"there is no resource template \"{Shown(uri)}\" (\"ref.uri\")", envelope);
                }

                break;
            default:
                throw Refused("\"ref.type\" must be ref/prompt or ref/resource", envelope);
        }
    }

    private static void RequireResource(in JsonRpcEnvelope envelope, McpServerOptions options, ServerView view)
    {
        var uri = Text(envelope.Params, "uri")!;
        if (
            options.Handlers.ReadResourceHandler is null
            && view.FindResource(uri) is null
            && options.ResourceCollection?.Any(one => one.IsMatch(uri)) is not true
        )
        {
            throw Refused($"there is no resource \"{Shown(uri)}\" (\"uri\")", envelope);
        }
    }

    private static void RequireNoCursor(in JsonRpcEnvelope envelope)
    {
        if (Text(envelope.Params, "cursor") is not null)
        {
            throw Refused("unknown \"cursor\". All items come on one page", envelope);
        }
    }

    private static void RequireKind(
        in JsonRpcEnvelope envelope,
        JsonElement holder,
        string what,
        string name,
        JsonValueKind kind,
        bool required
    )
    {
        var value =
            holder.ValueKind is JsonValueKind.Object && holder.TryGetProperty(name, out var found) ? found : default;
        var isGiven = value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);
        if (value.ValueKind != kind && (required || isGiven))
        {
            var wanted = kind is JsonValueKind.String ? "a string" : "an object";
            throw Refused($"{what} {(required ? "needs" : "takes")} \"{name}\", {wanted}", envelope);
        }
    }

    private static Prompt? Prompt(McpServerOptions options, ServerView view, string name) =>
        view.FindPrompt(name)?.Prompt
        ?? (
            !view.IsOfOne && options.PromptCollection is { } prompts && prompts.TryGetPrimitive(name, out var prompt)
                ? prompt.ProtocolPrompt
                : null
        );

    private static string? Text(JsonElement holder, string name) =>
        holder.ValueKind is JsonValueKind.Object
        && holder.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "…";

    private static JsonRpcException Refused(string why, in JsonRpcEnvelope envelope) =>
        new(JsonRpcErrorCode.InvalidParams, $"Invalid params: {why}.", envelope.Id, StatusCodes.Status200OK);
}
