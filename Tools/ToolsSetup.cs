using System.Reflection;
using Microsoft.Extensions.Options;
using MinimalMcp.Governance;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

public static class ToolsSetup
{
    // These depend on the other families, so they come last and need no setting.
    private static readonly string[] OfOthers = ["Documents", "Status"];

    /// <summary>
    /// Registers every class with <see cref="McpServerToolTypeAttribute"/> below the namespace Tools: adding a file
    /// adds its tools, removing a folder removes them. A family with settings has a method
    /// <c>Add{Folder}(IServiceCollection, IConfiguration)</c>, which registers the tool class only when they are set;
    /// an unconfigured family is not listed.
    /// </summary>
    public static IHostApplicationBuilder AddTools(this IHostApplicationBuilder builder)
    {
        var types = typeof(ToolsSetup).Assembly.GetTypes();
        // Most types are compiler-generated, and reading attributes is the main cost here.
        var toolTypes = types
            .Where(type => !type.IsNestedPrivate && type.IsDefined(typeof(McpServerToolTypeAttribute)))
            .OrderBy(type => OfOthers.Contains(type.Namespace!.Split('.')[^1]));
        foreach (var toolType in toolTypes)
        {
            var family = toolType.Namespace!.Split('.')[^1];
            var door = types
                .Where(type => type.Namespace == toolType.Namespace && type is { IsAbstract: true, IsSealed: true })
                .Select(type => type.GetMethod("Add" + family, [typeof(IServiceCollection), typeof(IConfiguration)]))
                .FirstOrDefault(method => method is not null);
            if (door is null)
            {
                builder.Services.AddSingleton(toolType);
            }
            else if (!builder.Services.Any(service => service.ServiceType == toolType))
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

    /// <summary>Adds the tools of a class in another assembly.</summary>
    public static IHostApplicationBuilder AddToolType(this IHostApplicationBuilder builder, Type type)
    {
        builder.Services.AddSingleton(new ToolType(type));
        return builder;
    }
}

/// <summary>A family that is not configured, and so disabled.</summary>
public sealed record UnconfiguredFamily(string Family, string Section);

/// <summary>A class whose methods are tools.</summary>
public sealed record ToolType(Type Type);
