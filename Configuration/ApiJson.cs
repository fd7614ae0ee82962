using System.Text.Json;
using System.Text.Json.Serialization;

namespace MinimalMcp.Configuration;

/// <summary>JSON of the routes below <c>/api/v1</c>: the names are in snake_case, null is left out.</summary>
internal static class ApiJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };
}
