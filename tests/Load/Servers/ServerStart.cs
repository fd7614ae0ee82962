using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Load;

/// <summary>How a server is started: on a free port, with the same runtime settings as every other one.</summary>
/// <param name="Counters">Where it tells what it has allocated; see <see cref="ServerCounters"/>.</param>
/// <param name="LegacyOnly">Whether it refuses 2026-07-28.</param>
internal sealed record ServerStart(ProcessStartInfo Info, IPEndPoint EndPoint, string? Counters, bool LegacyOnly)
{
    /// <param name="tools">Further tools that it shall have; see <see cref="MoreTools"/>.</param>
    /// <param name="hook">False leaves the process as it is, without counters and further tools.</param>
    public static ServerStart Dotnet(string dll, IEnumerable<string> args, int tools = 0, bool hook = true)
    {
        var endPoint = FreePort();
        var start = new ProcessStartInfo("dotnet", [dll, .. args, "--urls", $"http://{endPoint}"]) { WorkingDirectory = Path.GetDirectoryName(dll)! };
        var counters = hook ? ServerCounters.NewSocket() : null;
        start.Environment["DOTNET_STARTUP_HOOKS"] = hook ? typeof(ServerStart).Assembly.Location : null;
        start.Environment[ServerCounters.Variable] = counters;
        start.Environment[MoreTools.Variable] = tools > 0 ? $"{tools}" : null;
        return new(Prepared(start), endPoint, counters, LegacyOnly: false);
    }

    /// <summary>A script of Node.js, which gets the port as its first argument.</summary>
    public static ServerStart Node(string node, string script, IReadOnlyDictionary<string, string> environment)
    {
        var endPoint = FreePort();
        var start = new ProcessStartInfo(node, [script, $"{endPoint.Port}"]);
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        return new(Prepared(start), endPoint, null, LegacyOnly: true);
    }

    public static ProcessStartInfo Prepared(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        foreach (var (setting, value) in RuntimeSettings.ForServers)
        {
            start.Environment.TryAdd(setting, value);
        }

        foreach (var setting in RuntimeSettings.ForGenerator.Keys)
        {
            start.Environment.Remove(setting);
        }

        return start;
    }

    public static IPEndPoint FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}
