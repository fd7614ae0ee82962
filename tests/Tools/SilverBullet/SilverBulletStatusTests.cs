namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>
/// The space in system_status. Files of this name are left out of a project that leaves out the family Status.
/// </summary>
public sealed class SilverBulletStatusTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData(401, "Unauthorized")]
    [InlineData(200, "<!DOCTYPE html><html>login</html>")]
    [InlineData(503, "down")]
    public async Task It_says_whether_the_space_answers_and_accepts_our_token(int? status, string body)
    {
        await using var space = await Space.StartAsync();
        space.Fault = status is null ? null : (null, status.Value, body, "text/html");
        await using var server = TestServer.Start(space.Settings);

        var told = (await server.CallAsync("system_status"))
            .GetProperty("systems")
            .EnumerateArray()
            .Single(system => system.GetProperty("name").GetString() == "silverbullet");

        Assert.True(told.GetProperty("configured").GetBoolean());
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
        Assert.Equal(status is not null, told.TryGetProperty("detail", out _));
    }
}
