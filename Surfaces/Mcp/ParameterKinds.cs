using System.Text.Json;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>The SDK answers parameters of a wrong kind with "An error occurred", which helps nobody: they are named before it sees them.</summary>
internal static class ParameterKinds
{
    private static readonly (string Name, JsonValueKind Kind, bool Required)[] Subject =
        [("name", JsonValueKind.String, true), ("arguments", JsonValueKind.Object, false)], Uri = [("uri", JsonValueKind.String, true)], Page = [("cursor", JsonValueKind.String, false)];

    public static void Check(in Envelope envelope)
    {
        if (!envelope.IsRequest)
        {
            return;
        }

        foreach (var (name, kind, required) in Of(envelope.Method!))
        {
            var value = envelope.Params.ValueKind is JsonValueKind.Object && envelope.Params.TryGetProperty(name, out var found) ? found : default;
            if (value.ValueKind != kind && (required || value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null)))
            {
                throw new RpcException(RpcCode.InvalidParams, $"Invalid params: {envelope.Method} {(required ? "needs" : "takes")} \"{name}\", {(kind is JsonValueKind.String ? "a string" : "an object")}.",
                    envelope.Id, StatusCodes.Status200OK);
            }
        }
    }

    private static (string Name, JsonValueKind Kind, bool Required)[] Of(string method) => method switch
    {
        "prompts/get" => Subject,
        "resources/read" or "resources/subscribe" or "resources/unsubscribe" => Uri,
        "tools/list" or "prompts/list" or "resources/list" or "resources/templates/list" => Page,
        "completion/complete" => [("ref", JsonValueKind.Object, true), ("argument", JsonValueKind.Object, true)],
        "logging/setLevel" => [("level", JsonValueKind.String, true)],
        _ => [],
    };
}
