using System.Net;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Pages;

/// <summary>Settings in force, of a server with every source of settings: what is shown, and what is not.</summary>
[Slow]
public sealed partial class ConsoleSettingsTests : IDisposable
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
        Secret = "4f0c1d7e9ab35826d1c0f7b2e8a94d6350be71cf28d94a6e17f3c5b09d82a6e4",
        Hidden = "hidden";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("console-settings");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Each_setting_has_its_value_and_source_and_secrets_are_hidden()
    {
        await WriteAsync(
            "appsettings.json",
            """{ "Auth": { "Mode": "none" }, "Hub": { "MaxConcurrentServers": 7 } }"""
        );
        await WriteAsync(
            "mine.json",
            """
            {
              "Auth": { "ApiKeys": { "ci": { "Key": "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga", "Scopes": "mcp:read" } } },
              "Hub": { "Servers": { "docs": { "Url": "https://docs.example/tomato-1", "Disabled": true,
                "Headers": { "X-Key": "tomato-2" } } } },
              "Acme": { "ConnectionString": "tomato-3" },
              "Logging": { "Else": { "Token": "tomato-4" } }
            }
            """
        );
        await WriteAsync(".env", "MCP_RATE_LIMIT_HIGH=off\nAPP_PORTAINER__TOKEN=tomato-5-portainer\nPORT=3999\n");
        var file = await WriteAsync("secret", Secret + "\n");
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        await using var server = ServerProcess.Start(
            ["--urls", url, "--contentRoot", _folder.FullName, "--config", Path.Combine(_folder.FullName, "mine.json")],
            new Dictionary<string, string>
            {
                ["MCP_AUTH_MODE"] = "api-key",
                ["MCP_API_KEY"] = Key,
                ["SECRET_KEY_FILE"] = file,
                ["APP_PORTAINER__URL"] = "https://portainer.example:9443/sub",
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://boss:tomato-7@127.0.0.1:9/sub?key=tomato-8",
                ["Grafana__Url"] = "https://grafana.example/",
                ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=tomato-9",
                ["OTEL_SERVICE_NAME"] = "my-mcp",
                ["TOMATO_10"] = "tomato-10",
            }
        );
        using var http = new HttpClient();
        await ServerProcess.ReadyAsync(http, url);
        http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        var page = await http.GetStringAsync(new Uri(url + "/console/settings"), Stop);
        var rows = Row()
            .Matches(page)
            .ToDictionary(
                row => Text(row.Groups[1].Value),
                row => (Value: Text(row.Groups[2].Value), Source: Text(row.Groups[3].Value))
            );

        Assert.Equal(("api-key", "environment variable MCP_AUTH_MODE"), rows["Auth:Mode"]);
        Assert.Equal((Hidden, "environment variable MCP_API_KEY"), rows["Auth:ApiKey"]);
        Assert.Equal((Hidden, "the file that SECRET_KEY_FILE names"), rows["Auth:Server:SecretKey"]);
        Assert.Equal(("7", "appsettings.json"), rows["Hub:MaxConcurrentServers"]);
        Assert.Equal((Hidden, "mine.json"), rows["Auth:ApiKeys:ci:Key"]);
        Assert.Equal(("mcp:read", "mine.json"), rows["Auth:ApiKeys:ci:Scopes"]);
        Assert.Equal((Hidden, "mine.json"), rows["Hub:Servers:docs:Url"]);
        Assert.Equal((Hidden, "mine.json"), rows["Hub:Servers:docs:Headers:X-Key"]);
        Assert.Equal(("True", "mine.json"), rows["Hub:Servers:docs:Disabled"]);
        Assert.Equal((Hidden, "mine.json"), rows["Logging:Else:Token"]);
        Assert.Equal(("off", "MCP_RATE_LIMIT_HIGH in .env"), rows["Governance:Levels:HIGH"]);
        Assert.Equal((Hidden, "APP_PORTAINER__TOKEN in .env"), rows["Portainer:Token"]);
        Assert.Equal("https://portainer.example:9443/sub", rows["Portainer:Url"].Value);
        Assert.StartsWith("http://127.0.0.1:9/sub ", rows["OTEL_EXPORTER_OTLP_ENDPOINT"].Value);
        Assert.Equal(("https://grafana.example/", "environment variable Grafana__Url"), rows["Grafana:Url"]);
        Assert.Equal((Hidden, "environment variable OTEL_EXPORTER_OTLP_HEADERS"), rows["OTEL_EXPORTER_OTLP_HEADERS"]);
        Assert.Equal("my-mcp", rows["OTEL_SERVICE_NAME"].Value);
        Assert.Equal((url, "the command line"), rows["urls"]);
        Assert.False(rows.ContainsKey("Acme:ConnectionString")); // no section of this server
        Assert.DoesNotContain("tomato", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Key, page);
        Assert.DoesNotContain(Secret, page);
        Assert.DoesNotContain("Zk7Qw2Rt", page);
    }

    private async Task<string> WriteAsync(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        await File.WriteAllTextAsync(path, text, Stop);
        return path;
    }

    private static string Text(string html) => WebUtility.HtmlDecode(Tag().Replace(html, "")).Trim();

    [GeneratedRegex(
        "<td data-label=\"Setting\">(.*?)</td>\\s*<td data-label=\"Value\">(.*?)</td>\\s*"
            + "<td data-label=\"Source\">(.*?)</td>",
        RegexOptions.Singleline
    )]
    private static partial Regex Row();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
