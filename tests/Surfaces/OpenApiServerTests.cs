using System.Text.Json;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The address in the document: the one that the world uses.</summary>
public sealed class OpenApiServerTests
{
    [Fact]
    public async Task The_server_is_the_configured_public_address()
    {
        await using var server = TestServer.Start(("Server:PublicUrl", "https://shop.example/base/"));

        Assert.Equal("https://shop.example/base", ServerOf(await server.GetJsonAsync("/openapi.json")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("shop.example")]
    public async Task Without_one_it_is_what_the_proxy_on_this_machine_says(string allowedHosts)
    {
        await using var server = TestServer.Start(("AllowedHosts", allowedHosts));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi.json");
        request.Headers.Add("X-Forwarded-Host", "shop.example");
        request.Headers.Add("X-Forwarded-Proto", "https");

        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(
            "https://shop.example",
            ServerOf(JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)))
        );
    }

    [Fact]
    public async Task Without_a_proxy_it_is_the_address_that_was_asked()
    {
        await using var server = TestServer.Start();

        Assert.Equal(server.BaseUrl, ServerOf(await server.GetJsonAsync("/openapi.json")));
    }

    private static string ServerOf(JsonElement document) =>
        Assert.Single(document.GetProperty("servers").EnumerateArray()).GetProperty("url").GetString()!;
}
