using System.Reflection;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

/// <summary>What a model can call.</summary>
public static class ToolsSetup
{
    // These depend on the other families, so they come last and need no setting.
    private static readonly string[] OfOthers = ["Documents", "Status"];

    // It needs no settings, so that a fresh clone has a tool to call. An application has tools of its own.
    private const string Sample = "Shop";

    /// <summary>
    /// Registers every class with <see cref="McpServerToolTypeAttribute"/>, also those of the application that uses
    /// this library: adding a file adds its tools, removing a folder removes them. A family with settings has a method
    /// <c>Add{Folder}(IServiceCollection, IConfiguration)</c>, which registers the tool class only when they are set;
    /// an unconfigured family is not listed.
    /// </summary>
    public static IHostApplicationBuilder AddTools(this IHostApplicationBuilder builder)
    {
        var types = ApplicationAssemblies.Types(builder.Environment);
        var isLibrary = ApplicationAssemblies.Application(builder.Environment) is not null;
        // Most types are made by the compiler, and reading attributes costs more than all the rest here.
        var toolTypes = types
            .Where(type => !type.IsNestedPrivate && type.IsDefined(typeof(McpServerToolTypeAttribute)))
            .OrderBy(type => OfOthers.Contains(Family(type)));
        foreach (var toolType in toolTypes)
        {
            var family = Family(toolType);
            var door = types
                .Where(type => type.Namespace == toolType.Namespace && type is { IsAbstract: true, IsSealed: true })
                .Select(type => type.GetMethod("Add" + family, [typeof(IServiceCollection), typeof(IConfiguration)]))
                .FirstOrDefault(method => method is not null);
            if (toolType.IsAbstract) // a static class
            {
                builder.AddToolType(toolType);
                continue;
            }

            if (door is null)
            {
                builder.Services.AddSingleton(toolType);
            }
            else if (
                !builder.Services.Any(service => service.ServiceType == toolType)
                && !(isLibrary && family == Sample && string.IsNullOrEmpty(builder.Configuration[Sample + ":Url"]))
            )
            {
                door.Invoke(null, [builder.Services, builder.Configuration]);
            }

            if (builder.Services.Any(service => service.ServiceType == toolType))
            {
                builder.AddToolType(toolType);
            }
            else if (
                !OfOthers.Contains(family)
                && !builder.Services.Any(service =>
                    service.ImplementationInstance is UnconfiguredFamily off && off.Section == family
                )
            ) // once per family
            {
                builder.Services.AddSingleton(new UnconfiguredFamily(family.ToLowerInvariant(), family));
            }
        }

        builder.Services.AddSingleton<IValidateOptions<GovernanceOptions>, SafetyListCheck>();
        builder.Services.AddSingleton<ConfirmationDoor>();
        builder.Services.AddSingleton<ResourceUpdates>();
        builder.Services.AddSingleton<JoinedServers>();
        builder.Services.AddSingleton<LogMessages>();
        builder.Services.AddSingleton<ToolMethods>();
        builder.Services.AddSingleton<ToolProfiles>();
        builder.Services.AddSingleton(services => new ToolRegistry(() =>
            services
                .GetServices<ToolType>()
                .SelectMany(registered => services.GetRequiredService<ToolMethods>().Of(registered.Type))
        ));
        builder.Services.AddHostedService<ToolCheck>();
        return builder;
    }

    /// <summary>
    /// The family of a tool class: its folder below Tools. A class outside a namespace, or in that of the whole
    /// application, is a family by itself: ClockTools is Clock.
    /// </summary>
    internal static string Family(Type type)
    {
        var last = type.Namespace?.Split('.')[^1];
        return type.Namespace is null || last == "Tools" || type.Namespace == type.Assembly.GetName().Name
            ? type.Name.Length > 5 && type.Name.EndsWith("Tools", StringComparison.Ordinal)
                ? type.Name[..^5]
                : type.Name
            : last!;
    }

    /// <summary>Adds the tools of one class that is in neither assembly.</summary>
    public static IHostApplicationBuilder AddToolType(this IHostApplicationBuilder builder, Type type)
    {
        builder.Services.AddSingleton(new ToolType(type));
        return builder;
    }
}

/// <summary>A family that is not configured, and so disabled.</summary>
internal sealed record UnconfiguredFamily(string Family, string Section);

/// <summary>A class whose methods are tools.</summary>
internal sealed record ToolType(Type Type);
