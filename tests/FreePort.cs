using MinimalMcp.Load;

namespace MinimalMcp.Tests;

/// <summary>For programs that must be told where to listen before they say so themselves.</summary>
internal static class FreePort
{
    public static int Find() => ServerStart.FreePort().Port;
}
