using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Calls of a family of the product, in the order in which one caller makes them: at least one good call of each tool, and some that fail.
/// Each class of this kind is found and compared on every surface, so it stands in the tests of its family.
/// </summary>
internal abstract class FamilyCalls
{
    public static IEnumerable<FamilyCalls> OfTheProduct => typeof(FamilyCalls).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(FamilyCalls))).Select(type => (FamilyCalls)Activator.CreateInstance(type)!);

    /// <summary>Tool, arguments, and the kind of failure or null.</summary>
    public abstract IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; }

    /// <summary>The folder of the family, which is the last part of the namespace.</summary>
    public string Family => GetType().Namespace!.Split('.')[^1];

    /// <summary>For a family that is off until it is configured: starts the system behind it.</summary>
    public virtual Task<FamilySystem?> StartAsync() => Task.FromResult<FamilySystem?>(null);

    /// <summary>Every server that it takes to see the product's tools: the one without settings, and one for each family that is off there.</summary>
    public static async Task OnEachServerAsync(Func<TestServer, FamilyCalls?, Task> look, params (string, string)[] settings)
    {
        await using (var server = TestServer.Start(settings))
        {
            await look(server, null);
        }

        foreach (var family in OfTheProduct)
        {
            await using var system = await family.StartAsync();
            if (system is not null)
            {
                await using var server = TestServer.Start(system.Services, [.. settings, .. system.Settings]);
                await look(server, family);
            }
        }
    }

    /// <summary>Makes the calls the first way and every other way, and compares what each says.</summary>
    public async Task CompareAsync(FamilySystem? system, params IReadOnlyList<Way> ways)
    {
        var caller = Guid.NewGuid().ToString("N");
        foreach (var (tool, arguments, failure) in Calls)
        {
            Answer? first = null;
            foreach (var way in ways)
            {
                system?.Reset();
                var answer = await way.CallAsync($"{caller}-{way}".Replace(' ', '-').Replace(',', '-'), tool, JsonNode.Parse(arguments)!.AsObject());
                first ??= answer;
                Assert.True(answer.Comparable == first.Comparable, $"{way}, {tool} {arguments}: {answer.Comparable}\n{ways[0]}: {first.Comparable}");
                Assert.True(answer.Class == (failure is { } kind ? way.ClassOf(kind) : null), $"{way}, {tool} {arguments}: {answer}");
            }
        }
    }
}

/// <summary>What is behind a family in a test. All ways share it, so it is as new before each call.</summary>
internal sealed record FamilySystem(IAsyncDisposable? Running, Action Reset, params (string Key, string Value)[] Settings) : IAsyncDisposable
{
    public Action<IServiceCollection>? Services { get; init; }

    public ValueTask DisposeAsync() => Running?.DisposeAsync() ?? default;
}
