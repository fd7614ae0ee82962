namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>
/// Vikunja in system_status. Files of this name are left out of a project that leaves out the family Status.
/// </summary>
public sealed class VikunjaStatusTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData(401, """{"code":11,"message":"invalid token"}""")]
    [InlineData(200, "<!DOCTYPE html><html>login</html>")]
    [InlineData(503, "down")]
    public async Task It_says_whether_Vikunja_answers_accepts_our_token_and_its_version(int? status, string body)
    {
        await using var board = await Board.StartAsync();
        board.Lacks = status is 401 ? "GET /v1/projects" : null;
        board.Fault = status is null or 401 ? null : (null, status.Value, body, "text/html");
        await using var server = TestServer.Start(board.Settings);

        var told = (await server.CallAsync("system_status"))
            .GetProperty("systems")
            .EnumerateArray()
            .Single(system => system.GetProperty("name").GetString() == "vikunja");

        Assert.Equal(status is null or 401, told.GetProperty("reachable").GetBoolean());
        Assert.Equal(
            status switch
            {
                null => true,
                401 => false,
                _ => (bool?)null,
            },
            told.TryGetProperty("authorised", out var authorised) ? authorised.GetBoolean() : null
        );
        Assert.Equal(
            status is null or 401 ? "v1.1.0" : null,
            told.TryGetProperty("version", out var version) ? version.GetString() : null
        );
    }
}
