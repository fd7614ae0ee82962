using System.Reflection;
using System.Text;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests;

/// <summary>
/// What the library publishes is meant to be published. After a change that is meant, run once with UPDATE_SNAPSHOTS=1,
/// which writes PublicApi.txt.
/// </summary>
public sealed class PublicApiTests
{
    private static readonly string Approved = Path.Combine(ClientProcess.Root, "tests", "PublicApi.txt");

    [Fact]
    public async Task The_public_API_is_the_approved_one()
    {
        var text = Text();
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            await File.WriteAllTextAsync(Approved, text, TestContext.Current.CancellationToken);
        }

        Assert.Equal(await File.ReadAllTextAsync(Approved, TestContext.Current.CancellationToken), text);
    }

    private static string Text()
    {
        var text = new StringBuilder();
        var types = typeof(Library).Assembly.GetExportedTypes().Where(type => type != typeof(Program));
        foreach (var type in types.OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            var kind =
                type is { IsAbstract: true, IsSealed: true } ? "static class"
                : type.IsValueType ? "struct"
                : "class";
            text.Append($"{kind} {type.FullName}\n");
            foreach (var line in Members(type).Order(StringComparer.Ordinal))
            {
                text.Append($"  {line}\n");
            }
        }

        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        const BindingFlags Declared =
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var field in type.GetFields(Declared))
        {
            yield return $"{Name(field.FieldType)} {field.Name}";
        }

        foreach (var property in type.GetProperties(Declared))
        {
            var setter = property.CanWrite ? "set; " : "";
            yield return $"{Name(property.PropertyType)} {property.Name} {{ get; {setter}}}";
        }

        foreach (var method in type.GetMethods(Declared).Where(method => !method.IsSpecialName))
        {
            yield return $"{Name(method.ReturnType)} {method.Name}({Parameters(method)})";
        }

        foreach (var constructor in type.GetConstructors(Declared))
        {
            yield return $"new({Parameters(constructor)})";
        }
    }

    private static string Parameters(MethodBase method) =>
        string.Join(
            ", ",
            method
                .GetParameters()
                .Select(parameter =>
                    $"{Name(parameter.ParameterType)} {parameter.Name}"
                    + (parameter.HasDefaultValue ? $" = {parameter.DefaultValue ?? "null"}" : "")
                )
        );

    private static string Name(Type type) =>
        type.IsGenericType
            ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : type.Name;
}
