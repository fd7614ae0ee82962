using System.Net;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Secrets in files, as Docker and Kubernetes mount them.</summary>
[Slow]
public sealed class SecretFileTests : IDisposable
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private readonly string _file = Path.GetTempFileName();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("MCP_API_KEY_FILE")]
    [InlineData("Auth__ApiKey_FILE")]
    [InlineData("Auth__ApiKeys__anna__Key_FILE")]
    public async Task A_name_that_ends_in_FILE_has_its_value_in_a_file(string name)
    {
        await File.WriteAllTextAsync(_file, Key + "\n", Stop);
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        await using var server = ServerProcess.Start(
            ["--urls", url],
            new Dictionary<string, string> { ["MCP_AUTH_MODE"] = "api-key", [name] = _file }
        );
        using var http = new HttpClient();
        await ServerProcess.ReadyAsync(http, url);

        http.DefaultRequestHeaders.Add("X-MCP-API-Key", Key);
        using var answer = await http.GetAsync(new Uri(url + "/tools"), Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData(
        "MCP_API_KEY_FILE",
        "/no/such/file",
        "MCP_API_KEY_FILE is '/no/such/file', and the file does not exist."
    )]
    [InlineData("Auth__ApiKey_FILE", "", "no API key is configured")]
    [InlineData("Auth__Apikeey_FILE", "{0}", "Did you mean")]
    [InlineData("OAUTH2_CLIENT_SECRET_FILE", "{0}", "the file is empty")]
    [InlineData("MCP_API_KEY_FILE", "{0}", "MCP_API_KEY and MCP_API_KEY_FILE are both set", "MCP_API_KEY")]
    public async Task What_cannot_be_read_stops_the_start(
        string name,
        string path,
        string expected,
        string? also = null
    )
    {
        Dictionary<string, string> environment = new()
        {
            ["MCP_AUTH_MODE"] = "api-key",
            [name] = path.Replace("{0}", _file, StringComparison.Ordinal),
        };
        if (also is not null)
        {
            environment[also] = Key;
        }

        if (name == "Auth__Apikeey_FILE")
        {
            await File.WriteAllTextAsync(_file, Key, Stop);
        }

        var (exitCode, _, errors) = await ServerProcess.RunAsync(["--urls", "http://127.0.0.1:0"], environment);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain(Key, errors);
    }
}
