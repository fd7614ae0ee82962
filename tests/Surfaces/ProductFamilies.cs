namespace MinimalMcp.Tests.Surfaces;

/// <summary>The families of the product, all of them turned on, with what they ask.</summary>
internal sealed class ProductFamilies : IAsyncDisposable
{
    private ProductFamilies(IReadOnlyList<FamilyCalls> all) => All = all;

    public IReadOnlyList<FamilyCalls> All { get; private set; }

    /// <summary>Those that work over families of the tests, each on a server of its own.</summary>
    public IReadOnlyList<FamilyCalls> Apart { get; private set; } = [];

    public (string Key, string Value)[] Settings { get; private set; } = [];

    /// <summary>The settings for a process.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        Settings.ToDictionary(
            setting => setting.Key.Replace(":", "__", StringComparison.Ordinal),
            setting => setting.Value
        );

    public static async Task<ProductFamilies> StartAsync()
    {
        var families = new ProductFamilies([
            .. typeof(FamilyCalls)
                .Assembly.GetTypes()
                .Where(type => type.IsSubclassOf(typeof(FamilyCalls)))
                .OrderBy(type => type.FullName, StringComparer.Ordinal)
                .Select(type => (FamilyCalls)Activator.CreateInstance(type)!),
        ]);
        foreach (var family in families.All)
        {
            families.Settings = [.. families.Settings, .. await family.StartAsync()];
        }

        families.Apart = [.. families.All.Where(family => family.Services is not null)];
        families.All =
        [
            .. families.All.Where(family =>
                family.Services is null && (!family.NeedsAnother || families.Settings.Length > 0)
            ),
        ];
        return families;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var family in All)
        {
            await family.DisposeAsync();
        }
    }
}
