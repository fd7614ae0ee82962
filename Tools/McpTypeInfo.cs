using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;

namespace MinimalMcp.Tools;

/// <summary>How the SDK writes and reads a type of the protocol: by generated code, without reflection.</summary>
internal static class McpTypeInfo
{
    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(T));
}
