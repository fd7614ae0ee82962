using System.Reflection;

namespace MinimalMcp.Configuration;

/// <summary>
/// Where families and their options are looked for: in this assembly and, where it is a library, in the application
/// that uses it.
/// </summary>
internal static class ApplicationAssemblies
{
    private static readonly Assembly Own = typeof(ApplicationAssemblies).Assembly;

    public static Assembly[] Of(IHostEnvironment environment) =>
        Application(environment) is { } application ? [Own, application] : [Own];

    public static IEnumerable<Type> Types(IHostEnvironment environment) =>
        Of(environment).SelectMany(assembly => assembly.GetTypes());

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
