using MinimalMcp.Load;

/// <summary>
/// Runs inside a server that is measured, before its own code (DOTNET_STARTUP_HOOKS wants this name, without a
/// namespace): the very build that ships then tells what it has allocated, and has as many tools as a measurement asks
/// for.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(ServerCounters.Variable) is { Length: > 0 } socket)
        {
            ServerCounters.Serve(socket);
        }

        if (Environment.GetEnvironmentVariable(MoreTools.Variable) is { Length: > 0 } tools)
        {
            MoreTools.AddToHost(int.Parse(tools, System.Globalization.CultureInfo.InvariantCulture));
        }
    }
}
