using MinimalMcp.Tests.Protocol;
using Postgres = MinimalMcp.Load.Postgres;

namespace MinimalMcp.Tests.Storage;

/// <summary>The server starts as soon as PostgreSQL is there, over TLS as well, or says what to change.</summary>
[Slow]
public sealed class PostgresStartTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_starts_later_is_waited_for_with_one_line()
    {
        Needs.Postgres();
        await using var database = await Postgres.StartAsync(Stop);
        await database.StopAsync(Stop);
        using var log = new Tools.CapturedLog();
        await using var engine = Engine(database.ConnectionString, log);
        var opening = engine.OpenAsync(Stop);
        await Wait.Until(() => !log.Lines.IsEmpty);
        Assert.False(opening.IsCompleted);

        await database.StartAgainAsync(Stop);

        await Wait.Soon(opening);
        Assert.Contains("unavailable, retrying", Assert.Single(log.Lines).Text);
    }

    [Fact]
    public async Task Over_TLS_it_starts_with_the_certificate_of_the_databases_CA_and_else_TLS_is_the_reason()
    {
        Needs.Postgres();
        using var certificate = new TestCertificate("localhost", "127.0.0.1");
        using var another = new TestCertificate("localhost", "127.0.0.1");
        using var elsewhere = new TestCertificate("db.example.com");
        await using var database = await Postgres.StartAsync(Stop);
        var plain = await FailAsync(database, "SSL Mode=Require");
        Assert.Contains("TLS failed", plain);
        await database.UseTlsAsync(certificate.Path, certificate.KeyPath, Stop);
        await database.RestartAsync(Stop);

        using var log = new Tools.CapturedLog();
        var verified = $"{database.ConnectionString};SSL Mode=VerifyFull;Root Certificate={certificate.Path}";
        await using var engine = Engine(verified, log);
        await engine.OpenAsync(Stop);
        Assert.StartsWith("PostgreSQL ", engine.Description, StringComparison.Ordinal);

        foreach (
            var wrong in (string[])
                [
                    "SSL Mode=VerifyFull",
                    $"SSL Mode=VerifyFull;Root Certificate={another.Path}",
                    $"SSL Mode=VerifyCA;Root Certificate={elsewhere.Path}",
                    "SSL Mode=VerifyFull;Root Certificate=/no/such/file.crt",
                ]
        )
        {
            var sentence = await FailAsync(database, wrong);
            Assert.Contains("TLS failed", sentence);
            Assert.Contains("'Root Certificate'", sentence);
        }
    }

    [Theory]
    [InlineData("postgres://user:pa55word@db/name", "it is a URL")]
    [InlineData("Host=db;Pass=pa55word", "is not a known keyword")]
    [InlineData("pa55word", "it is not a list of NAME=VALUE;")]
    public async Task A_connection_string_that_cannot_be_read_is_a_sentence_without_secrets(
        string text,
        string expected
    )
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string> { ["Storage__ConnectionString"] = text }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain("pa55word", errors);
        Assert.DoesNotContain("   at ", errors);
    }

    // As `verify-audit` and every start say it: at once, since no waiting helps.
    private static async Task<string> FailAsync(Postgres database, string more)
    {
        using var log = new Tools.CapturedLog();
        await using var engine = Engine($"{database.ConnectionString};{more}", log);
        var failure = await Assert.ThrowsAsync<MinimalMcp.Storage.StorageException>(() => engine.OpenAsync(Stop));
        Assert.Empty(log.Lines);
        return failure.Message;
    }

    private static MinimalMcp.Storage.PostgresDatabase Engine(string connection, Tools.CapturedLog log) =>
        new(connection, log.CreateLogger("store"));
}
