using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Hub;

namespace MinimalMcp.Tests.Hub;

/// <summary>What of a server is encrypted in the store.</summary>
public sealed class ServerRecordsTests
{
    [Fact]
    public async Task Secrets_can_be_read_only_in_the_row_that_they_were_written_for()
    {
        await using var server = TestServer.Start();
        var records = server.Services.GetRequiredService<ServerRecords>();
        var written = records.Write(
            new()
            {
                Id = 1,
                Name = "ours",
                Url = "https://ours.example/mcp",
                Transport = TransportType.Http,
                AuthConfig = new Dictionary<string, string> { ["token"] = "t0ps3cret" },
                Wanted = true,
            },
            1
        );

        Assert.Equal("t0ps3cret", records.Read(written).AuthConfig["token"]);
        // Somebody who may write to the store copies the secrets to a server of their own.
        var copied = records.Read(written with { Name = "theirs" });
        Assert.True(copied.Unreadable);
        Assert.False(copied.Wanted);
        Assert.Empty(copied.AuthConfig);
    }
}
