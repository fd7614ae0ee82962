using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Conformance;

/// <summary>
/// Everything that the official conformance suite expects to find in the server under test. Names and texts are the
/// suite's own, so change them only together with its version.
/// </summary>
public static class ConformanceFixtures
{
    public static IReadOnlyList<Type> ToolTypes { get; } =
    [typeof(ContentTools), typeof(ConversationTools), typeof(InputRequiredTools), typeof(DiagnosticTools)];

    public static IMcpServerBuilder AddConformanceFixtures(this IMcpServerBuilder builder) =>
        builder
            .WithPrompts<FixturePrompts>()
            .WithResources<FixtureResources>()
            .WithCompleteHandler(
                (_, _) =>
                    ValueTask.FromResult(
                        new CompleteResult
                        {
                            Completion = new()
                            {
                                Values = ["paris", "park", "party"],
                                Total = 3,
                                HasMore = false,
                            },
                        }
                    )
            )
            // Without it logging is not offered.
            .WithSetLoggingLevelHandler((_, _) => ValueTask.FromResult(new EmptyResult()))
            // The suite looks only at the empty answer; an update is never sent, so there is nothing to remember.
            .WithSubscribeToResourcesHandler((_, _) => ValueTask.FromResult(new EmptyResult()))
            .WithUnsubscribeFromResourcesHandler((_, _) => ValueTask.FromResult(new EmptyResult()));
}

/// <summary>
/// How the fixture tools change the host's lists while it runs. The host registers one of these as a singleton; each
/// action adds or removes something, so that whoever listens is told that the list changed.
/// </summary>
public sealed record ListChanges(Action Tools, Action Prompts);
