using System.Reflection;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;
using MinimalMcp.Tools.Shop;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>The shop in the scripts, the documentation and the file of requests.</summary>
[Slow]
public sealed class ShopScriptTests
{
    [Theory]
    [InlineData("")]
    [InlineData("jq() { return 1; }; ")]
    public async Task The_check_calls_the_shops_search(string before)
    {
        await using var server = TestServer.Start();

        var (exitCode, output, _) = await Shell.RunAsync($"{before}scripts/test-chatgpt-endpoints.sh {server.BaseUrl}");

        Assert.Equal(0, exitCode);
        Assert.Contains("✅ MCP Tool Call (search_products)", output);
        Assert.Contains("✅ REST Tool Call (POST /tools/search_products)", output);
    }

    [Fact]
    public async Task A_wrong_address_of_the_shop_is_told_beside_the_others()
    {
        var (exitCode, output, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string> { ["NEXTJS_URL"] = "bar", ["PUBLIC_URL"] = "foo" }
        );

        Assert.Equal((1, ""), (exitCode, output));
        Assert.All(["NEXTJS_URL", "PUBLIC_URL", "2 settings are wrong"], part => Assert.Contains(part, errors));
    }

    [Fact]
    public void Every_setting_of_the_shop_is_documented()
    {
        var pages = string.Concat(
            ReadmeTests.Pages.Select(page => File.ReadAllText(Path.Combine(ClientProcess.Root, page)))
        );
        var settings = typeof(ShopOptions)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .Select(property => $"Shop:{property.Name}");

        Assert.All(settings, setting => Assert.Contains($"`{setting}", pages));
    }

    [Fact]
    public async Task Every_request_of_the_http_file_is_answered()
    {
        await using var server = TestServer.Start();
        var requests = (
            await File.ReadAllTextAsync(
                Path.Combine(ClientProcess.Root, "MinimalMcp.http"),
                TestContext.Current.CancellationToken
            )
        )
            .Replace("{{server}}", server.BaseUrl, StringComparison.Ordinal)
            .Split("\n### ")
            .Skip(1);
        foreach (var text in requests)
        {
            var parts = text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..].Trim().Split("\n\n", 2);
            var lines = parts[0].Split('\n');
            using var request = new HttpRequestMessage(new HttpMethod(lines[0].Split(' ')[0]), lines[0].Split(' ')[1]);
            request.Content =
                parts.Length == 2 ? new StringContent(parts[1], System.Text.Encoding.UTF8, "application/json") : null;
            foreach (
                var header in lines
                    .Skip(1)
                    .Where(line => !line.StartsWith("Content-Type:", StringComparison.Ordinal))
                    .Select(line => line.Split(": ", 2))
            )
            {
                request.Headers.TryAddWithoutValidation(header[0], header[1]);
            }

            // One of them is a stream that stays open.
            using var response = await server.Http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            );
            Assert.True(response.IsSuccessStatusCode, text);
            if (response.Content.Headers.ContentType?.MediaType == "application/json")
            {
                Assert.DoesNotContain(
                    "\"error\":",
                    await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
                );
            }
        }
    }
}
