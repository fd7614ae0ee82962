using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.AI;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Documents;

/// <summary>
/// The documents of one family. Its tools class has the SDK's own attribute on two public methods, and mentions nothing
/// of ours: <c>[McpMeta("documents", "search")]</c> on one that takes a query and returns a list of objects with id,
/// title and url, and <c>[McpMeta("documents", "fetch")]</c> on one that takes an id and returns id, title, text, url
/// and metadata. Both may take a CancellationToken.
/// </summary>
internal sealed class DocumentSource(string family, string[] from, AIFunction search, AIFunction fetch)
{
    public string Family => family;

    /// <summary>
    /// Whether every caller who may search may also call the tools that show the same: those that the two methods name
    /// with <c>[McpMeta("documents_from", "tool")]</c>, or all reading tools of a family that names none.
    /// </summary>
    public bool IsOpen(ToolSet tools) =>
        from.Length > 0
            ? from.All(name => tools.Find(name) is { } tool && IsOpen(tool))
            : tools.All.Any(tool => tool.Family == family)
                && tools.Known.Where(tool => tool.Family == family && tool.IsReadOnly).All(IsOpen);

    private static bool IsOpen(Tool tool) => tool is { IsDenied: false, NeedsConfirmation: false, ScopeLevel: 0 };

    public static bool IsIn(Type type) => Method(type, "search") is not null && Method(type, "fetch") is not null;

    public static DocumentSource Of(Type type, IServiceProvider services)
    {
        var target = type.IsAbstract
            ? null
            : services.GetService(type) ?? ActivatorUtilities.CreateInstance(services, type);
        return new(
            type.Namespace!.Split('.')[^1].ToLowerInvariant(),
            [.. From(Method(type, "search")!), .. From(Method(type, "fetch")!)],
            Function(Method(type, "search")!, target),
            Function(Method(type, "fetch")!, target)
        );
    }

    public async Task<IReadOnlyList<FoundDocument>> SearchAsync(string query, CancellationToken ct) =>
        await InvokeAsync<FoundDocument[]>(search, query, ct) ?? [];

    public Task<Document?> FetchAsync(string id, CancellationToken ct) => InvokeAsync<Document>(fetch, id, ct);

    private static async Task<T?> InvokeAsync<T>(AIFunction function, string argument, CancellationToken ct)
    {
        var name = function.UnderlyingMethod!.GetParameters()[0].Name!;
        return await function.InvokeAsync(new AIFunctionArguments { [name] = argument }, ct) is JsonElement value
            ? value.Deserialize<T>(ToolMethods.Json)
            : default;
    }

    private static IEnumerable<string> From(MethodInfo method) =>
        method
            .GetCustomAttributes<McpMetaAttribute>()
            .Where(meta => meta.Name == "documents_from")
            .Select(meta => JsonSerializer.Deserialize<string>(meta.JsonValue)!);

    private static MethodInfo? Method(Type type, string part) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .FirstOrDefault(method =>
                method
                    .GetCustomAttributes<McpMetaAttribute>()
                    .Any(meta => meta.Name == "documents" && meta.JsonValue == $"\"{part}\"")
            );

    // A family returns its own type. It becomes ours by way of JSON, as every client reads it.
    private static AIFunction Function(MethodInfo method, object? target) =>
        AIFunctionFactory.Create(
            method,
            method.IsStatic ? null : target,
            new AIFunctionFactoryOptions
            {
                SerializerOptions = ToolMethods.Json,
                ExcludeResultSchema = true,
                MarshalResult = static (value, type, _) =>
                    new(
                        value is null
                            ? null
                            : JsonSerializer.SerializeToElement(value, type ?? value.GetType(), ToolMethods.Json)
                    ),
            }
        );
}
