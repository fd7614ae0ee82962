using System.Runtime.InteropServices;
using System.Text;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// The processes of a server, found by a variable of their environment that every descendant inherits: wrappers such as
/// npx die at SIGTERM and leave the server behind, with another parent.
/// </summary>
internal static class ProcessTree
{
    /// <summary>The variable whose value names the store, this process, and the server.</summary>
    public const string Variable = "HUB_PROCESS_MARKER";

    public const int Terminate = 15,
        Kill = 9;

    /// <summary>Whether processes can be found by their environment.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>
    /// Processes whose marker starts with this, and those of the session that this process leads: of this server's
    /// user and of the one that is given.
    /// </summary>
    public static IReadOnlyList<(int Id, string Marker)> Find(
        string markerStart,
        int? session = null,
        ChildUser? user = null
    )
    {
        List<(int, string)> found = [];
        if (!IsSupported)
        {
            return found;
        }

        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id) || id == Environment.ProcessId)
            {
                continue;
            }

            if (MarkerOf(id, user) is { } marker && marker.StartsWith(markerStart, StringComparison.Ordinal))
            {
                found.Add((id, marker));
            }
            else if (session is not null && SessionOf(id) == session)
            {
                found.Add((id, ""));
            }
        }

        return found;
    }

    /// <summary>Sends a signal; a process that is gone is no error.</summary>
    public static void Signal(int id, int signal) => _ = SendSignal(id, signal);

    /// <summary>Ticks between the start of the machine and that of the process: with its id, it is unique.</summary>
    public static string? StartOf(int id) => FieldOf(id, 22);

    private static string? MarkerOf(int id, ChildUser? user)
    {
        try
        {
            var environment = File.ReadAllBytes($"/proc/{id}/environ").AsSpan();
            foreach (var range in environment.Split((byte)0))
            {
                var entry = environment[range];
                if (entry.StartsWith("HUB_PROCESS_MARKER="u8))
                {
                    return Encoding.UTF8.GetString(entry["HUB_PROCESS_MARKER=".Length..]);
                }
            }
        }
        catch (UnauthorizedAccessException) when (user is not null)
        {
            return user.As(() => MarkerOf(id, null));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // it ended, or it is somebody else's
        }

        return null;
    }

    // A zombie has ended: only its parent has not been told.
    private static int? SessionOf(int id) =>
        FieldOf(id, 3) is not "Z" && int.TryParse(FieldOf(id, 6), out var session) ? session : null;

    // proc_pid_stat(5). The second field is the program's name in parentheses and may hold anything.
    private static string? FieldOf(int id, int number)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{id}/stat");
            var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            return fields.ElementAtOrDefault(number - 3);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int id, int signal);
}
