namespace MinimalMcp.Hub.Processes;

/// <summary>What the processes of a server use. One look at /proc serves all servers that ask at once.</summary>
internal static class ChildUsage
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(250);

    private static readonly Lock Looking = new();
    private static (long At, ChildUser? User, ILookup<string, int> Processes)? _last;

    /// <summary>The ids of the processes with this marker.</summary>
    public static IReadOnlyList<int> Of(string marker, ChildUser? user)
    {
        lock (Looking)
        {
            if (_last is not { } last || last.User != user || TimeProvider.System.GetElapsedTime(last.At) > Fresh)
            {
                var processes = ProcessTree.Find("", user: user).ToLookup(found => found.Marker, found => found.Id);
                _last = last = (TimeProvider.System.GetTimestamp(), user, processes);
            }

            return [.. last.Processes[marker]];
        }
    }

    /// <summary>Bytes of memory that the process occupies, shared libraries included, as ps shows them.</summary>
    public static long MemoryOf(int id)
    {
        try
        {
            // proc(5), statm: size resident shared ... in pages
            return long.TryParse(File.ReadAllText($"/proc/{id}/statm").Split(' ')[1], out var pages)
                ? pages * Environment.SystemPageSize
                : 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return 0; // it ended
        }
    }

    public static int OpenFilesOf(int id, ChildUser? user)
    {
        return user is null ? Count() : user.As(Count);

        int Count()
        {
            try
            {
                return Directory.EnumerateFileSystemEntries($"/proc/{id}/fd").Count();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                return 0; // it ended
            }
        }
    }
}
