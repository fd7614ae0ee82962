using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace MinimalMcp.Load;

/// <summary>How a server is started: on a free port, with the same runtime settings as every other one.</summary>
/// <param name="Counters">Where it tells what it has allocated; see <see cref="ServerCounters"/>.</param>
/// <param name="LegacyOnly">Whether it refuses 2026-07-28.</param>
internal sealed record ServerStart(ProcessStartInfo Info, IPEndPoint EndPoint, string? Counters, bool LegacyOnly)
{
    private static int _nextPort = RandomNumberGenerator.GetInt32(20_000);

    /// <param name="tools">Further tools that it shall have; see <see cref="MoreTools"/>.</param>
    /// <param name="hook">False leaves the process as it is, without counters and further tools.</param>
    public static ServerStart Dotnet(string dll, IEnumerable<string> args, int tools = 0, bool hook = true)
    {
        var endPoint = FreePort();
        var start = new ProcessStartInfo("dotnet", [dll, .. args, "--urls", $"http://{endPoint}"])
        {
            WorkingDirectory = Path.GetDirectoryName(dll)!,
        };
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

    /// <summary>
    /// An address for a program that must be told where to listen. Below the ports that the system gives to whoever
    /// names none (32768 and up on Linux), and a new one for each call, so that nobody takes it before the program
    /// does.
    /// </summary>
    public static IPEndPoint FreePort()
    {
        while (true)
        {
            var port = 12_000 + ((Interlocked.Increment(ref _nextPort) & int.MaxValue) % 20_000);
            var endPoint = new IPEndPoint(IPAddress.Loopback, port);
            try
            {
                using var listener = new TcpListener(endPoint);
                listener.Start();
                return endPoint;
            }
            catch (SocketException)
            {
                // somebody listens there
            }
        }
    }
}
