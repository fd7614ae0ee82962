using System.Reflection;
using MinimalMcp.Tests;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(SlowFirst))]

namespace MinimalMcp.Tests;

/// <summary>What takes minutes starts first: a run that ends with it would wait for it with idle cores.</summary>
internal sealed class SlowFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections)
        where T : ITestCollection => [.. testCollections.OrderBy(collection => Place(collection))];

    // A class without a collection of its own is one, called "Test collection for NAME (...)".
    private static int Place(ITestCollection collection)
    {
        var slow = collection
            .TestCollectionDisplayName.Split(' ')
            .Select(word => typeof(SlowFirst).Assembly.GetType(word))
            .OfType<Type>()
            .SelectMany(type => type.GetCustomAttributes<SlowAttribute>())
            .FirstOrDefault();
        // Not by their types, which a generated project does not have. One browser serves its tests in turn.
        return collection.TestCollectionDisplayName is "GeneratedProjects" or "ConsoleBrowser" ? 0
            : slow is { Minutes: true } || collection.TestCollectionDisplayName is "Browser" or "Lab" ? 1
            : slow is not null ? 2
            : 3;
    }
}
