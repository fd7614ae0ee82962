using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Calls of a family of the product, in the order in which one caller makes them: at least one good call of each tool,
/// and some that fail. Each class of this kind is found and compared on every surface, so it stands in the tests of its
/// family.
/// </summary>
internal abstract class FamilyCalls : IAsyncDisposable
{
    /// <summary>Tool, arguments, and the kind of failure or null.</summary>
    public abstract IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; }

    /// <summary>
    /// For tools that work over other families: some of the tests, in place of the product's, so that the calls hold
    /// whichever families a project has.
    /// </summary>
    public virtual Action<IServiceCollection>? Services => null;

    /// <summary>Its tools are there only beside a family that has settings.</summary>
    public virtual bool NeedsAnother => false;

    /// <summary>
    /// Starts what the family asks, and gives the settings that turn it on. One that is always on needs neither.
    /// </summary>
    public virtual Task<(string Key, string Value)[]> StartAsync() => Task.FromResult<(string, string)[]>([]);

    /// <summary>
    /// Puts what the family asks back into its first state. All ways share it, so this happens before each call.
    /// </summary>
    public virtual void Reset() { }

    public virtual ValueTask DisposeAsync() => default;

    /// <summary>Makes the calls the first way and every other way, and compares what each says.</summary>
    public async Task CompareAsync(params IReadOnlyList<Way> ways)
    {
        var caller = Guid.NewGuid().ToString("N");
        foreach (var (tool, arguments, failure) in Calls)
        {
            Answer? first = null;
            foreach (var way in ways)
            {
                Reset();
                var answer = await way.CallAsync(
                    $"{caller}-{way}".Replace(' ', '-').Replace(',', '-'),
                    tool,
                    JsonNode.Parse(arguments)!.AsObject()
                );
                first ??= answer;
                Assert.True(
                    answer.Comparable == first.Comparable,
                    $"{way}, {tool} {arguments}: {answer.Comparable}\n{ways[0]}: {first.Comparable}"
                );
                Assert.True(
                    answer.Class == (failure is { } kind ? way.ClassOf(kind) : null),
                    $"{way}, {tool} {arguments}: {answer}"
                );
            }
        }
    }
}
