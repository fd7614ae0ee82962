using System.Net;
using Microsoft.Data.Sqlite;
using MinimalMcp.Storage;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Storage;

/// <summary>
/// What the server does when its store is damaged, locked, full or cut off, and what an operator does then.
/// </summary>
[Slow(Minutes = true)]
public sealed class StorageFaultTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("faults").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(_folder, "store.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)] // the header
    [InlineData(4096)] // a page behind it
    public async Task A_damaged_file_refuses_to_start_and_names_the_command_that_restores_a_backup(int at)
    {
        await FillAsync();
        await using (var file = File.OpenWrite(Database))
        {
            file.Position = at;
            file.Write([.. Enumerable.Repeat((byte)0x5A, 4096)]);
        }

        var damaged = await File.ReadAllBytesAsync(Database, Stop);
        var (exitCode, _, errors) = await ServerProcess.RunAsync(["--urls", "http://127.0.0.1:0"], Store());

        Assert.Equal(1, exitCode);
        Assert.Contains("is damaged", errors);
        Assert.Contains("MinimalMcp.dll restore BACKUP", errors);
        Assert.DoesNotContain("   at ", errors);
        Assert.Equal(damaged, await File.ReadAllBytesAsync(Database, Stop)); // never made anew in silence
    }

    [Fact]
    public async Task A_backup_of_the_running_server_is_restored_after_the_file_was_destroyed()
    {
        var backup = Path.Combine(_folder, "backup.db");
        await using (var server = Start())
        {
            await NoteAsync(server);
            Assert.Equal((0, ""), Without(await ServerProcess.RunAsync(["backup", backup], Store())));
            var (inUse, _, told) = await ServerProcess.RunAsync(["restore", backup], Store());
            Assert.Equal(1, inUse);
            Assert.Contains("is in use. Stop the server first", told);
        }

        await ClosedAsync();

        await File.WriteAllTextAsync(Database, "this is no database", Stop);
        Assert.Equal((0, ""), Without(await ServerProcess.RunAsync(["restore", backup], Store())));

        await using var after = Start();
        Assert.Equal(2, (await after.GetJsonAsync("/api/v1/audit")).GetProperty("count").GetInt32());
        Assert.Equal(
            "this is no database",
            await File.ReadAllTextAsync(Directory.GetFiles(_folder, "store.db.replaced-*").Single(), Stop)
        );
    }

    [Theory]
    [InlineData("backup", "usage: dotnet MinimalMcp.dll backup FILE")]
    [InlineData("backup there.db", "already exists")]
    [InlineData("restore nothing.db", "does not exist")]
    [InlineData("restore there.db", "is damaged, or is not a backup of this server")]
    public async Task A_command_that_cannot_be_done_says_why_and_changes_nothing(string command, string said)
    {
        await FillAsync();
        var there = Path.Combine(_folder, "there.db");
        await using (var other = new SqliteConnection($"Data Source={there};Pooling=False"))
        {
            other.Open();
            using var make = other.CreateCommand();
            make.CommandText = "create table meta (name text, value text)";
            make.ExecuteNonQuery();
        }

        var before = await File.ReadAllBytesAsync(Database, Stop);
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            command
                .Split(' ')
                .Select(word => word.EndsWith(".db", StringComparison.Ordinal) ? Path.Combine(_folder, word) : word),
            Store()
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(said, errors);
        Assert.Equal(before, await File.ReadAllBytesAsync(Database, Stop));
    }

    [Fact]
    public async Task The_check_of_the_audit_ends_with_one_when_a_row_was_changed()
    {
        await FillAsync();
        var (good, output, _) = await ServerProcess.RunAsync(["verify-audit"], Store());
        Assert.Equal(0, good);
        Assert.Contains("is intact: 2 entries; the last is 2 ", output);

        await using (var connection = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            connection.Open();
            using var tamper = connection.CreateCommand();
            tamper.CommandText = "update audit set subject = 'somebody else' where seq = 2";
            tamper.ExecuteNonQuery();
        }

        var (bad, told, _) = await ServerProcess.RunAsync(["verify-audit"], Store());
        Assert.Equal(1, bad);
        Assert.Contains("The audit log was modified: entry 2 was modified", told);
    }

    [Fact]
    public async Task While_another_process_holds_the_file_reads_are_answered_and_changes_are_refused_until_it_lets_go()
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools, ("Storage:Path", Database));
        await using (var other = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            other.Open();
            using var holding = other.BeginTransaction(deferred: false);

            using var read = await server.PostAsync("/tools/look", "{}");
            using var refused = await NoteAsync(server);
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (read.StatusCode, refused.StatusCode));
            Assert.Contains(
                "note was not called, because the server's store is unavailable",
                await refused.Content.ReadAsStringAsync(Stop)
            );
            Assert.False(tools.Done.ContainsKey("note"));
            using var ready = await server.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), Stop);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        }

        using var again = await NoteAsync(server);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        await RowsAsync(server, 4); // the read, the refusal, and the two of the note
    }

    [Fact]
    public async Task On_a_full_disk_reads_are_answered_and_changes_are_refused_until_there_is_room()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root can mount a small disk");
        var disk = Directory.CreateDirectory(Path.Combine(_folder, "disk")).FullName;
        Assert.Equal(0, (await Shell.RunAsync($"mount -t tmpfs -o size=1m tmpfs {disk}")).ExitCode);
        try
        {
            var tools = new GovernedTools();
            await using var server = GovernedTools.Start(tools, ("Storage:Path", Path.Combine(disk, "store.db")));
            var filler = Path.Combine(disk, "filler");
            await Shell.RunAsync($"dd if=/dev/zero of={filler} bs=4k 2>/dev/null || true");

            // Some fit into pages that the file has already.
            HttpStatusCode status;
            var done = 0;
            do
            {
                using var note = await NoteAsync(server, new string('x', 5000));
                status = note.StatusCode;
                done += status == HttpStatusCode.OK ? 1 : 0;
            } while (status == HttpStatusCode.OK && done < 500);
            using var read = await server.PostAsync("/tools/look", "{}");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (status, read.StatusCode));
            Assert.Equal(done, tools.Done.GetValueOrDefault("note"));

            File.Delete(filler);
            using var again = await NoteAsync(server);
            Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        }
        finally
        {
            await Shell.RunAsync($"umount --lazy {disk}");
        }
    }

    [Fact]
    public async Task A_file_of_a_newer_version_is_left_alone()
    {
        await FillAsync();
        await using (var connection = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            connection.Open();
            using var newer = connection.CreateCommand();
            newer.CommandText = "update meta set value = '99' where name = 'schema'";
            newer.ExecuteNonQuery();
        }

        var (exitCode, _, errors) = await ServerProcess.RunAsync([], Store());

        Assert.Equal(1, exitCode);
        Assert.Contains("has schema version 99, but this server supports version 7", errors);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task A_file_of_an_older_version_is_opened_with_all_that_it_holds_and_its_audit_still_verifies(
        int version
    )
    {
        await FillAsync();
        await using (var connection = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            connection.Open();
            connection.Run("drop table hub_caller_secrets");
            if (version < 6)
            {
                connection.Run("drop table metrics; drop index audit_call; drop index audit_outcome");
            }

            if (version < 5)
            {
                connection.Run("drop table hub_servers");
            }

            if (version < 4)
            {
                connection.Run("drop table ended_sessions");
                connection.Run("alter table approvals drop column preview");
            }

            if (version < 3)
            {
                connection.Run("alter table audit drop column trace_id");
            }

            foreach (
                var table in version == 1
                    ? (string[])["cache", "turns", "approvals", "oauth_clients", "oauth_grants"]
                    : []
            )
            {
                connection.Run($"drop table {table}");
            }

            connection.Run($"update meta set value = '{version}' where name = 'schema'");
        }

        await using (var server = Start())
        {
            Assert.Equal(2, (await server.GetJsonAsync("/api/v1/audit")).GetProperty("count").GetInt32());
            (await NoteAsync(server)).EnsureSuccessStatusCode();
        }

        await ClosedAsync();
        var (exitCode, output, _) = await ServerProcess.RunAsync(["verify-audit"], Store());
        Assert.True(exitCode == 0, output);
        await using var upgraded = new SqliteConnection($"Data Source={Database};Pooling=False");
        upgraded.Open();
        Assert.Equal("7", upgraded.Run("select value from meta where name = 'schema'"));
        Assert.Equal(0L, upgraded.Run("select count(*) from turns"));
        Assert.Equal(0L, upgraded.Run("select count(*) from hub_caller_secrets"));
        Assert.Equal(
            2L,
            upgraded.Run("select count(*) from sqlite_master where name in ('audit_call', 'audit_outcome')")
        );
    }

    [Theory]
    [InlineData("Storage__Path=/proc/nowhere/store.db", "Set Storage:Path to a place that this user may write to")]
    [InlineData(
        "Storage__ConnectionString=Host=127.0.0.1;Port=1;Username=u;Password=s3cret-passw0rd;Timeout=2",
        "The database of Storage:ConnectionString cannot be used"
    )]
    public async Task A_store_that_cannot_be_reached_is_told_in_a_sentence(string variable, string said)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string> { [variable.Split('=', 2)[0]] = variable.Split('=', 2)[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(said, errors);
        Assert.DoesNotContain("s3cret", errors);
        Assert.DoesNotContain("   at ", errors);
    }

    private Dictionary<string, string> Store() => new() { ["Storage__Path"] = Database };

    private TestServer Start() => GovernedTools.Start(new(), ("Storage:Path", Database));

    private async Task FillAsync()
    {
        await using (var server = Start())
        {
            (await NoteAsync(server)).EnsureSuccessStatusCode();
        }

        await ClosedAsync();
    }

    // The program closes its store in its own time, and the log goes with the last connection.
    private async Task ClosedAsync()
    {
        while (File.Exists(Database + "-wal"))
        {
            await Task.Delay(10, Stop); // between two looks
        }
    }

    private static Task<HttpResponseMessage> NoteAsync(TestServer server, string text = "a") =>
        server.PostAsync("/tools/note", $$"""{"text":"{{text}}"}""");

    private static async Task RowsAsync(TestServer server, int count)
    {
        while ((await server.GetJsonAsync("/api/v1/audit")).GetProperty("count").GetInt32() < count)
        {
            Stop.ThrowIfCancellationRequested();
        }
    }

    private static (int, string) Without((int ExitCode, string Output, string Errors) run) =>
        (run.ExitCode, run.Errors);
}
