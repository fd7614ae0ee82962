using System.Text.Json.Nodes;
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

    /// <summary>
    /// Starts what the family asks, for a family that is off without it: a system on loopback that answers its good calls, and the settings that
    /// lead there. Two calls of it must give the same.
    /// </summary>
    public virtual Task<FamilySystem?> StartSystemAsync() => Task.FromResult<FamilySystem?>(null);

    /// <summary>Makes the calls the first way and every other way, and compares what each says.</summary>
    public async Task CompareAsync(params IReadOnlyList<Way> ways)
    {
        var caller = Guid.NewGuid().ToString("N");
        foreach (var (tool, arguments, failure) in Calls)
        {
            Answer? first = null;
            foreach (var way in ways)
            {
                var answer = await way.CallAsync($"{caller}-{way}".Replace(' ', '-').Replace(',', '-'), tool, JsonNode.Parse(arguments)!.AsObject());
                first ??= answer;
                Assert.True(answer.Comparable == first.Comparable, $"{way}, {tool} {arguments}: {answer.Comparable}\n{ways[0]}: {first.Comparable}");
                Assert.True(answer.Class == (failure is { } kind ? way.ClassOf(kind) : null), $"{way}, {tool} {arguments}: {answer}");
            }
        }
    }
}
