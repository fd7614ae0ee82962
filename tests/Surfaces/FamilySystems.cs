namespace MinimalMcp.Tests.Surfaces;

/// <summary>A system behind a family, and the settings with which the family asks it.</summary>
internal sealed record FamilySystem(IAsyncDisposable System, params IReadOnlyList<(string Key, string Value)> Settings);

/// <summary>The systems behind all families of the product: with their settings every family is on.</summary>
internal sealed class FamilySystems : IAsyncDisposable
{
    private readonly List<FamilySystem> _systems = [];

    public (string Key, string Value)[] Settings => [.. _systems.SelectMany(system => system.Settings)];

    /// <summary>The same, for a process.</summary>
    public IReadOnlyDictionary<string, string> Environment => Settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value);

    public static async Task<FamilySystems> StartAsync()
    {
        var systems = new FamilySystems();
        foreach (var family in FamilyCalls.OfTheProduct)
        {
            if (await family.StartSystemAsync() is { } system)
            {
                systems._systems.Add(system);
            }
        }

        return systems;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var system in _systems)
        {
            await system.System.DisposeAsync();
        }
    }
}
