using System.Collections;
using System.ComponentModel;
using System.Reflection;
using MinimalMcp.Configuration;

namespace MinimalMcp.Governance;

/// <summary>The settings that the options of this server and of its families have.</summary>
internal sealed class KnownSettings(IEnumerable<SettingsSection> sections, IHostEnvironment environment)
{
    public IReadOnlyList<SettingsSection> Sections { get; } = [.. sections, .. FamilySections(environment)];

    public IEnumerable<SettingsSection> Owners(string key) => Sections.Where(section => section.Has(key));

    /// <summary>The setting of that key; null when no options have it.</summary>
    public KnownSetting? Find(string key) =>
        Owners(key)
            .Select(owner => Find(owner.Options, owner.Rest(key), []))
            .FirstOrDefault(found => found is not null);

    // Family options are bound by families, which know nothing of ours: their type is named after the section.
    private static IEnumerable<SettingsSection> FamilySections(IHostEnvironment environment) =>
        ApplicationAssemblies
            .Types(environment)
            .Where(type =>
                type.Namespace?.Contains(".Tools.", StringComparison.Ordinal) == true
                && type.Name.EndsWith("Options", StringComparison.Ordinal)
            )
            .Select(type => new SettingsSection(type.Name[..^"Options".Length], type));

    /// <summary>The keys that have a value in a source of settings.</summary>
    public static IEnumerable<string> Keys(IConfigurationProvider provider, string? parent = null)
    {
        foreach (var child in provider.GetChildKeys([], parent).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            var key = parent is null ? child : $"{parent}:{child}";
            if (provider.TryGet(key, out var value) && value is not null)
            {
                yield return key;
            }

            foreach (var deeper in Keys(provider, key))
            {
                yield return deeper;
            }
        }
    }

    private static KnownSetting? Find(Type type, ReadOnlySpan<string> path, PropertyInfo[] properties)
    {
        if (path.IsEmpty)
        {
            return new(Nullable.GetUnderlyingType(type) ?? type, properties);
        }

        if (ItemType(type) is { } item)
        {
            return IsDictionary(type) || int.TryParse(path[0], out _) ? Find(item, path[1..], properties) : null;
        }

        return Properties(type).TryGetValue(path[0], out var property)
            ? Find(property.PropertyType, path[1..], [.. properties, property])
            : null;
    }

    private static Dictionary<string, PropertyInfo> Properties(Type type) =>
        TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(type) ?? type).CanConvertFrom(typeof(string))
            ? []
            : type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.CanWrite || ItemType(property.PropertyType) is not null)
                .ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);

    private static bool IsDictionary(Type type) => type.IsAssignableTo(typeof(IDictionary));

    private static Type? ItemType(Type type) =>
        type == typeof(string) || !type.IsAssignableTo(typeof(IEnumerable)) ? null
        : type.IsArray ? type.GetElementType()
        : type.GetGenericArguments().LastOrDefault();

    /// <summary>The names that may stand below a key.</summary>
    public static string[] Members(Type type, ReadOnlySpan<string> path)
    {
        for (; !path.IsEmpty; path = path[1..])
        {
            if (ItemType(type) is { } item)
            {
                type = item;
            }
            else if (Properties(type).TryGetValue(path[0], out var property))
            {
                type = property.PropertyType;
            }
            else
            {
                return [];
            }
        }

        return [.. Properties(type).Keys];
    }
}

/// <summary>A setting that options have.</summary>
/// <param name="Type">Of its value.</param>
/// <param name="Properties">From the section down to it, without the keys of dictionaries.</param>
internal sealed record KnownSetting(Type Type, IReadOnlyList<PropertyInfo> Properties);
