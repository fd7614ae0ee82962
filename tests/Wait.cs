namespace MinimalMcp.Tests;

/// <summary>
/// Waits for what must happen. How long it may take says nothing about the product: slow machines pass, too.
/// </summary>
internal static class Wait
{
    /// <summary>What takes longer hangs.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static Task Soon(Task task) => task.WaitAsync(Limit, TestContext.Current.CancellationToken);

    public static Task<T> Soon<T>(Task<T> task) => task.WaitAsync(Limit, TestContext.Current.CancellationToken);

    public static Task Until(Func<bool> condition) => Until(() => Task.FromResult(condition()));

    public static async Task Until(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        while (!await condition())
        {
            await Task.Delay(10, limit.Token); // between two looks
        }
    }
}
