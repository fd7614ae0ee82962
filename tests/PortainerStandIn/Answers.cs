using System.Text.Json.Nodes;

namespace MinimalMcp.PortainerStandIn;

/// <summary>How Portainer answers.</summary>
public static class Answers
{
    public const string Version = "2.23.0";

    /// <summary>The id of the only environment, as in a Portainer where the first ones are gone.</summary>
    public const int Environment = 3;

    public static IResult Error(int status, string message, string details) =>
        Results.Json(new { message, details }, statusCode: status);

    public static IResult Json(JsonNode node) => Results.Text(node.ToJsonString(), "application/json");
}
