using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Storage;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Storage;

/// <summary>Where the SQLite file may lie, and the copies that are made of it.</summary>
[Slow]
public sealed class PlaceTests : IDisposable
{
    // As proc(5) shows them: two at one place, one place within another, and a name with a space.
    private const string Mounts = """
        21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        30 21 0:40 / /data rw,relatime shared:2 master:1 - ext4 /dev/sdb1 rw
        31 30 0:41 / /data/share rw,relatime - nfs4 server:/export rw,vers=4.2
        32 31 0:42 / /data/share/local rw,relatime - xfs /dev/sdc1 rw
        33 21 0:43 /part /mnt/with\040space rw,relatime - cifs //server/share rw
        34 21 0:44 / /over rw,relatime - ext4 /dev/sdd1 rw
        35 34 0:45 / /over rw,relatime - fuse.sshfs host:/ rw
        36 21 0:46 / /mnt/c rw,noatime - 9p C:\134 rw
        half a line
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("place").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("/store.db", "ext4", false)]
    [InlineData("/data/store.db", "ext4", false)]
    [InlineData("/database/store.db", "ext4", false)]
    [InlineData("/data/share/store.db", "nfs4", true)]
    [InlineData("/data/shared/store.db", "ext4", false)]
    [InlineData("/data/share/local/deep/store.db", "xfs", false)]
    [InlineData("/mnt/with space/store.db", "cifs", true)]
    [InlineData("/over/store.db", "fuse.sshfs", true)]
    [InlineData("/mnt/c/store.db", "9p", true)]
    public void The_file_system_of_a_path_is_that_of_the_nearest_mount(string path, string type, bool remote) =>
        Assert.Equal((type, remote), (NetworkFileSystem.TypeOf(path, Mounts), NetworkFileSystem.IsRemote(type)));

    [Fact]
    public async Task On_a_network_file_system_it_does_not_start_and_says_what_to_set()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.UserName == "root",
            "only root on Linux can show a program other mounts"
        );
        var mounts = Path.Combine(_folder, "mountinfo");
        Directory.CreateDirectory(Path.Combine(_folder, "share"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "link"), Path.Combine(_folder, "share"));
        await File.WriteAllTextAsync(
            mounts,
            $"21 1 8:1 / / rw - ext4 /dev/sda1 rw\n22 21 0:40 / {_folder}/share rw - nfs4 server:/export rw\n",
            Stop
        );

        foreach (var place in (string[])["share", "link"])
        {
            var (exitCode, _, errors) = await Shell.RunAsync(
                $"cd {AppContext.BaseDirectory} && MCP_AUTH_MODE=none Storage__Path={_folder}/{place}/sub/store.db "
                    + $"unshare --mount sh -c 'mount --bind {mounts} /proc/$$/mountinfo && exec dotnet "
                    + $"{ServerProcess.Dll} --urls http://127.0.0.1:0'"
            );

            Assert.Equal(1, exitCode);
            Assert.Contains("lies on a network file system (nfs4)", errors);
            Assert.Contains("Set Storage:Path to a disk of this machine", errors);
            Assert.False(File.Exists(Path.Combine(_folder, "share/sub/store.db")));
        }
    }

    [Fact]
    public async Task Each_night_a_backup_is_made_that_can_be_restored_and_the_newest_are_kept()
    {
        var time = new ManualTime();
        var backups = Path.Combine(_folder, "backups");
        (string, string)[] settings =
        [
            ("Storage:Path", Path.Combine(_folder, "store.db")),
            ("Storage:BackupPath", backups),
            ("Storage:BackupKeep", "3"),
        ];
        await using (
            var server = GovernedTools.Start(new(), services => services.AddSingleton<TimeProvider>(time), settings)
        )
        {
            await FilesAsync(1); // the start makes up for a night that it missed
            (await server.PostAsync("/tools/note", """{"text":"a"}""")).EnsureSuccessStatusCode();
            time.Advance(TimeSpan.FromHours(1));
            time.Fire();
            for (var night = 2; night <= 5; night++)
            {
                var before = Files();
                time.Advance(TimeSpan.FromDays(1));
                time.Fire();
                while (Files().SequenceEqual(before))
                {
                    await Task.Delay(10, Stop); // between two looks
                }
                await FilesAsync(Math.Min(night, 3)); // the oldest goes after the new one is there
            }

            Assert.Equal(3, Files().Length);
        }

        var restored = Path.Combine(_folder, "restored.db");
        var (exitCode, output, errors) = await ServerProcess.RunAsync(
            ["restore", Files()[^1]],
            new Dictionary<string, string> { ["Storage__Path"] = restored }
        );
        Assert.True(exitCode == 0, output + errors);
        await using var again = GovernedTools.Start(new(), ("Storage:Path", restored));
        Assert.Equal(2, (await again.GetJsonAsync("/api/v1/audit")).GetProperty("count").GetInt32());

        string[] Files() => Directory.Exists(backups) ? [.. Directory.GetFiles(backups, "*.db").Order()] : [];

        async Task FilesAsync(int count)
        {
            while (Files().Length != count || Directory.GetFiles(backups).Length != count)
            {
                await Task.Delay(10, Stop); // between two looks
            }
        }
    }

    [Fact]
    public async Task A_backup_that_cannot_be_made_is_told_and_tried_again()
    {
        var (time, log) = (new ManualTime(), new CapturedLog());
        var backups = Path.Combine(_folder, "backups");
        await File.WriteAllTextAsync(backups, "a file where the folder should be", Stop);
        await using var server = GovernedTools.Start(
            new(),
            services => services.AddSingleton<TimeProvider>(time).AddSingleton<ILoggerProvider>(log),
            ("Storage:BackupPath", backups)
        );
        while (!log.Lines.Any(line => line.Text.Contains("Store backup failed", StringComparison.Ordinal)))
        {
            await Task.Delay(10, Stop); // between two looks
        }

        File.Delete(backups);
        while (!Directory.Exists(backups) || Directory.GetFiles(backups, "*.db").Length == 0)
        {
            time.Fire();
            await Task.Delay(10, Stop);
        }

        await using var copy = new SqliteConnection(
            $"Data Source={Directory.GetFiles(backups, "*.db").Single()};Pooling=False;Mode=ReadOnly"
        );
        copy.Open();
        Assert.Equal("7", copy.Run("select value from meta where name = 'schema'"));
    }

    [Theory]
    [InlineData("Storage__BackupKeep=0", "Storage:BackupKeep must be between 1 and 1000")]
    [InlineData("Governance__ApproveWithin=00:00:01", "Governance:ApproveWithin must be between 00:01:00 and 1.00")]
    public async Task A_wrong_setting_is_told(string variable, string said)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string> { [variable.Split('=')[0]] = variable.Split('=')[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(said, errors);
    }
}
