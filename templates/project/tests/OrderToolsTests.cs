using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

namespace AcmeOps.Tests;

/// <summary>The tools as a client sees them: through HTTP, with everything that a call passes.</summary>
public sealed class OrderToolsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly WebApplicationFactory<Program> _server;

    public OrderToolsTests() =>
        _server = new WebApplicationFactory<Program>().WithWebHostBuilder(builder =>
            builder
                .UseSetting("Auth:Mode", "none") // a test of a tool needs no key
                .UseSetting("Storage:Path", Path.Combine(_folder.FullName, "store.db"))
        );

    [Fact]
    public async Task Find_orders_returns_those_of_the_customer()
    {
        using var response = await CallAsync("find_orders", new { customer = "ada" });
        var found = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

        Assert.Equal(
            ["A-1", "A-2"],
            found.GetProperty("orders").EnumerateArray().Select(order => order.GetProperty("number").GetString())
        );
    }

    [Fact]
    public async Task A_number_that_does_not_exist_is_answered_with_what_to_do()
    {
        using var response = await CallAsync("get_order", new { number = "Z-9" });
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Contains("Use find_orders", text);
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    private Task<HttpResponseMessage> CallAsync(string tool, object arguments) =>
        _server.CreateClient().PostAsJsonAsync($"/tools/{tool}", arguments, TestContext.Current.CancellationToken);
}
