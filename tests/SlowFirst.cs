using MinimalMcp.Tests;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(SlowFirst))]

namespace MinimalMcp.Tests;

/// <summary>What takes minutes starts first: a run that ends with it would wait for it with idle cores.</summary>
internal sealed class SlowFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections)
        where T : ITestCollection => [.. testCollections.OrderBy(collection => IsSlow(collection) ? 0 : 1)];

    // A class without a collection of its own is one, called "Test collection for NAME (...)".
    private static bool IsSlow(ITestCollection collection)
    {
        var words = collection.TestCollectionDisplayName.Split(' ');
        return words
                .Select(word => typeof(SlowFirst).Assembly.GetType(word))
                .Any(type => type is not null && Attribute.IsDefined(type, typeof(SlowAttribute)))
            || collection.TestCollectionDisplayName == "GeneratedProjects"; // which a generated project does not have
    }
}
