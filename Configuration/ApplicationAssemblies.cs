using System.Collections.Concurrent;
using System.Reflection;

namespace MinimalMcp.Configuration;

/// <summary>
/// Where families and their options are looked for: in this assembly and, where it is a library, in the application
/// that uses it.
/// </summary>
internal static class ApplicationAssemblies
{
    private static readonly Assembly Own = typeof(ApplicationAssemblies).Assembly;

    // Tools, settings and secrets are looked for in turn at every start.
    private static readonly ConcurrentDictionary<string, Type[]> Found = new(StringComparer.Ordinal);

    public static Assembly[] Of(IHostEnvironment environment) =>
        Application(environment) is { } application ? [Own, application] : [Own];

    public static IReadOnlyList<Type> Types(IHostEnvironment environment) =>
        Found.GetOrAdd(
            environment.ApplicationName,
            static (_, environment) => [.. Of(environment).SelectMany(assembly => assembly.GetTypes())],
            environment
        );

    /// <summary>The application; null where this assembly is the whole program.</summary>
    public static Assembly? Application(IHostEnvironment environment)
    {
        if (environment.ApplicationName == Own.GetName().Name)
        {
            return null;
        }

        try
        {
            return Assembly.Load(new AssemblyName(environment.ApplicationName));
        }
        catch (Exception none) when (none is IOException or BadImageFormatException or ArgumentException)
        {
            return null; // a name of the operator's own: --applicationName
        }
    }
}
