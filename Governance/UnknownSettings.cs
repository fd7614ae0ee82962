using System.Collections;
using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Governance;

/// <summary>
/// Detects settings that nothing reads. In sections that protect the server a misspelt name is an error, because the
/// protection would silently be disabled; in our other sections it is a warning. Foreign sections are ignored.
/// </summary>
internal sealed partial class UnknownSettings(
    IConfiguration configuration,
    IEnumerable<SettingsSection> sections,
    IHostEnvironment environment,
    ILogger<UnknownSettings> logger
) : IValidateOptions<GovernanceOptions>
{
    // Environment variables may belong to other programs, Server__Something among them.
    private static readonly string[] Protecting = ["Auth", "Governance", "Hub", "Server"];
    private static readonly string[] ProtectingInEnvironment = ["Auth", "Governance", "Hub"];

    private readonly SettingsSection[] _sections = [.. sections, .. FamilySections(environment)];

    public ValidateOptionsResult Validate(string? name, GovernanceOptions options)
    {
        var errors = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        var warnings = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var provider in (configuration as IConfigurationRoot)?.Providers ?? [])
        {
            var isEnvironment = provider is EnvironmentProvider or EnvironmentVariablesConfigurationProvider;
            var protecting = isEnvironment ? ProtectingInEnvironment : Protecting;
            foreach (
                var key in Keys(provider, null)
                    .Where(key =>
                        !IsKnown(isEnvironment && SecretFiles.IsFile(key) ? key[..^SecretFiles.Suffix.Length] : key)
                    )
            )
            {
                var section = key.Split(':')[0];
                var isProtecting = protecting.Contains(section, StringComparer.OrdinalIgnoreCase);
                if (isProtecting || IsNear(section, protecting))
                {
                    errors.Add(Sentence(key));
                }
                else if (_sections.Any(known => known.Path.Equals(section, StringComparison.OrdinalIgnoreCase)))
                {
                    warnings.Add(Sentence(key));
                }
            }
        }

        foreach (var warning in warnings)
        {
            LogUnknown(logger, warning);
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    // Family options are bound by families, which know nothing of ours: their type is named after the section.
    private static IEnumerable<SettingsSection> FamilySections(IHostEnvironment environment) =>
        ApplicationAssemblies
            .Types(environment)
            .Where(type =>
                type.Namespace?.Contains(".Tools.", StringComparison.Ordinal) == true
                && type.Name.EndsWith("Options", StringComparison.Ordinal)
            )
            .Select(type => new SettingsSection(type.Name[..^"Options".Length], type));

    private static IEnumerable<string> Keys(IConfigurationProvider provider, string? parent)
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

    // A separate section is accepted as a whole.
    private bool IsKnown(string key)
    {
        var owners = Owners(key).ToArray();
        var isOurs = Protecting.Contains(key.Split(':')[0], StringComparer.OrdinalIgnoreCase);
        return EnvironmentNames.Table.Any(row => row.Setting.Equals(key, StringComparison.OrdinalIgnoreCase))
            || (
                owners.Length == 0
                    ? !isOurs && !IsNear(key.Split(':')[0], Protecting)
                    : owners.Any(owner => IsKnown(owner.Options, owner.Rest(key)))
            );
    }

    private IEnumerable<SettingsSection> Owners(string key) => _sections.Where(section => section.Has(key));

    private static bool IsKnown(Type type, ReadOnlySpan<string> path)
    {
        if (path.IsEmpty)
        {
            return true;
        }

        if (ItemType(type) is { } item)
        {
            return (IsDictionary(type) || int.TryParse(path[0], out _)) && IsKnown(item, path[1..]);
        }

        return Properties(type).TryGetValue(path[0], out var property) && IsKnown(property.PropertyType, path[1..]);
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

    private static bool IsNear(string section, string[] names) =>
        names.Any(name =>
            !name.Equals(section, StringComparison.OrdinalIgnoreCase)
            && Math.Abs(name.Length - section.Length) <= 2
            && section.Length > 3
            && NameSuggestions.Distance(section, name) <= (name.Length > 6 ? 2 : 1)
        );

    private string Sentence(string key)
    {
        var parent = key.Contains(':') ? key[..key.LastIndexOf(':')] : "";
        var siblings = Owners(key)
            .Select(owner => Members(owner.Options, owner.Rest(parent)))
            .SelectMany(names => names)
            .Select(name => $"{parent}:{name}")
            .DefaultIfEmpty(string.Join(", ", Protecting));
        return NameSuggestions.Nearest(key, siblings, 1) is [var near] && near.Contains(':')
            ? $"{key} is not a setting. Did you mean {near}?"
            : $"{key} is not a setting of this server. See docs/reference/settings.md for all settings.";
    }

    private static string[] Members(Type type, ReadOnlySpan<string> path)
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

    [LoggerMessage(LogLevel.Warning, "{Problem}")]
    private static partial void LogUnknown(ILogger logger, string problem);
}
