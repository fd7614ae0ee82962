using System.Text.Json;

namespace MinimalMcp.Load;

internal static class JsonReport
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static string Of(LoadReport report) => JsonSerializer.Serialize(report, Options);
}
