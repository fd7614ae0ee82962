using System.Globalization;
using System.Runtime.InteropServices;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// The user of the operating system that servers over stdio run as (Hub:User), when it is not this server's own. Its
/// processes can neither read this server's environment, memory and private files nor signal it.
/// </summary>
internal sealed record ChildUser(string Name, uint Id, uint Group, string? Home)
{
    // capabilities(7), with their bit.
    private static readonly (string Name, int Bit)[] Needed = [("KILL", 5), ("SETGID", 6), ("SETUID", 7)];

    /// <summary>By name or number, of /etc/passwd, or as two numbers for the user and the group.</summary>
    /// <exception cref="FormatException">There is no such user; the message says what to do.</exception>
    public static ChildUser Find(string setting)
    {
        if (setting.Split(':') is [var user, var group] && Number(user) is { } id && Number(group) is { } groupId)
        {
            return new(user, id, groupId, null);
        }

        // passwd(5): name:password:user:group:comment:home:shell
        var entries = File.Exists("/etc/passwd") ? File.ReadLines("/etc/passwd").Select(line => line.Split(':')) : [];
        return
            entries.FirstOrDefault(entry => entry.Length >= 6 && (entry[0] == setting || entry[2] == setting))
                is { } found
            && Number(found[2]) is { } foundId
            && Number(found[3]) is { } foundGroup
            ? new(found[0], foundId, foundGroup, found[5])
            : throw new FormatException(
                $"Hub:User is '{setting}', which is no user in /etc/passwd. Create it (`useradd --system NAME`), or "
                    + "set two numbers for the user and the group, such as 1655:1655."
            );

        static uint? Number(string text) =>
            uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>
    /// What starts a program as this user, without any capability and without a way back (setpriv(1)).
    /// </summary>
    public IReadOnlyList<string> Launch =>
        [
            ChildProcess.Find("setpriv", null) ?? "setpriv",
            string.Create(CultureInfo.InvariantCulture, $"--reuid={Id}"),
            string.Create(CultureInfo.InvariantCulture, $"--regid={Group}"),
            "--clear-groups",
            "--inh-caps=-all",
            "--ambient-caps=-all",
            "--no-new-privs",
            "--",
        ];

    /// <summary>Why this server cannot start processes as this user; null when it can.</summary>
    public string? Problem()
    {
        var own = File.ReadLines("/proc/self/status")
            .Select(line => line.Split(':', 2))
            .Where(parts => parts.Length == 2)
            .ToDictionary(
                parts => parts[0],
                parts => parts[1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            );
        var capabilities = Convert.ToUInt64(own["CapEff"][0], 16);
        var lacking = Needed.Where(one => (capabilities & (1UL << one.Bit)) == 0).Select(one => one.Name).ToArray();
        return Id == 0 || Group == 0 ? $"Hub:User is '{Name}', which has rights of root. Create another user."
            : own["Uid"].Contains($"{Id}") || own["Gid"].Contains($"{Group}")
                ? $"Hub:User is '{Name}', which is the user, or of the group, that this server runs as. "
                    + "Create another user with a group of its own."
            : lacking.Length > 0
                ? $"Hub:User needs capabilities that this process lacks: {string.Join(", ", lacking)}. For a container "
                    + "add `--cap-add SETUID --cap-add SETGID --cap-add KILL`; in a systemd unit set "
                    + "`AmbientCapabilities=CAP_SETUID CAP_SETGID CAP_KILL`. Or make Hub:User empty: servers then run "
                    + "as this server's user, and can read what it can read."
            : ProcessTree.StartOf(1) is null
                ? "Hub:User needs to see processes of other users in /proc, which is mounted with hidepid here: they "
                    + "could not be ended. In a systemd unit set `ProtectProc=default`."
            : ChildProcess.Find("setpriv", null) is null
                ? "Hub:User needs the program setpriv (Debian and Ubuntu: package util-linux)."
            : null;
    }

    /// <summary>Whether this user can read the file.</summary>
    public bool CanRead(string file) =>
        As(() =>
        {
            try
            {
                using var handle = File.OpenHandle(file);
                return true;
            }
            catch (Exception closed) when (closed is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        });

    /// <summary>
    /// Reads files as this user, on this thread only (setfsuid(2)): /proc shows the environment and the files of a
    /// process to its own user.
    /// </summary>
    public T As<T>(Func<T> read)
    {
        var group = SetFileGroup(Group);
        var user = SetFileUser(Id);
        try
        {
            return read();
        }
        finally
        {
            _ = SetFileUser(user);
            _ = SetFileGroup(group);
        }
    }

    [DllImport("libc", EntryPoint = "setfsuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint SetFileUser(uint id);

    [DllImport("libc", EntryPoint = "setfsgid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint SetFileGroup(uint id);
}
