using MinimalMcp.Tests;

[assembly: AssemblyFixture(typeof(TestStores))]

namespace MinimalMcp.Tests;

/// <summary>
/// A store for each server that a test starts as a process: they run side by side. Removed when the tests end.
/// </summary>
public sealed class TestStores : IDisposable
{
    private static readonly string Folder = Path.Combine(
        Path.GetTempPath(),
        $"minimalmcp-tests-{Environment.ProcessId}"
    );

    /// <summary>A file that is not there yet.</summary>
    public static string New() => Path.Combine(Folder, Guid.NewGuid().ToString("N"), "test.db");

    public void Dispose()
    {
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
