using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Says of each listed tool who may call it (<c>securitySchemes</c>, SEP-1488), which ChatGPT asks for on every tool,
/// beside its name and in its <c>_meta</c>. The SDK's type has no such member, so it is added to the answer on its way
/// out; the direct path's lists are answers of the SDK, too.
/// </summary>
internal sealed class SecuritySchemes(BearerChallenges challenges, ToolRegistry registry)
{
    private const string Name = "securitySchemes";

    public void AddTo(JsonArray tools)
    {
        if (!challenges.AreOn)
        {
            return;
        }

        var known = registry.Current;
        foreach (var listed in tools.OfType<JsonObject>())
        {
            if (listed["name"]?.GetValue<string>() is { } name && known.Find(name) is { } tool)
            {
                listed[Name] = Of(tool);
                (listed["_meta"] as JsonObject ?? (JsonObject)(listed["_meta"] = new JsonObject()))[Name] = Of(tool);
            }
        }
    }

    private JsonArray Of(Tool tool)
    {
        var signedIn = new JsonObject { ["type"] = "oauth2", ["scopes"] = new JsonArray(tool.Scope) };
        return challenges.AdmitGuests(tool.Scope) ? [new JsonObject { ["type"] = "noauth" }, signedIn] : [signedIn];
    }
}
