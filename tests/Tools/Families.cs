using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MinimalMcp.Tools;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools;

internal static class Families
{
    /// <summary>
    /// Takes out every family that was added until now, so that a test sees only the tools that it adds.
    /// </summary>
    public static void TakeOut(IServiceCollection services) =>
        services
            .RemoveAll<ToolType>()
            .RemoveAll<UnconfiguredFamily>()
            .RemoveAll<McpServerPrompt>()
            .RemoveAll<McpServerResource>();
}
