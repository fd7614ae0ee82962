using Microsoft.AspNetCore.Http;

namespace MinimalMcp.WellKnown;

/// <summary>
/// <c>dotnet MinimalMcp.dll health [--timeout SECONDS]</c> asks the server that runs with the same settings whether it
/// lives. A container's health check: its image has neither a shell nor curl.
/// </summary>
internal static class HealthCommand
{
    private const int DefaultTimeout = 5;

    public static async Task<int> RunAsync(IConfiguration configuration, string[] args)
    {
        var url = Url(configuration);
        var seconds = DefaultTimeout;
        if (args is [_, "--timeout", var timeout, ..] && (!int.TryParse(timeout, out seconds) || seconds is < 1 or > 300))
        {
            Console.WriteLine($"--timeout takes seconds, from 1 to 300; you sent '{timeout}'.");
            return 2;
        }

        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(seconds) };
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Host = "localhost"; // always served, whatever address the server listens on
            using var response = await http.SendAsync(request);
            Console.WriteLine(response.IsSuccessStatusCode ? $"{url} is alive." : $"{url} answered {(int)response.StatusCode}.");
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            Console.WriteLine(failure is TaskCanceledException
                ? $"{url} did not answer within {seconds} s."
                : $"{url} cannot be reached: {failure.Message}");
            return 1;
        }
    }

    // A server that listens on every address is asked on loopback.
    private static Uri Url(IConfiguration configuration)
    {
        var addresses = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).Append(configuration["urls"]?.Split(';')[0])
            .Append($"http://{configuration["Server:Host"] ?? "127.0.0.1"}:{configuration["Server:Port"] ?? "3001"}");
        var address = BindingAddress.Parse(addresses.First(address => !string.IsNullOrEmpty(address))!);
        var host = address.Host is "+" or "*" or "0.0.0.0" or "[::]" ? "127.0.0.1" : address.Host;
        return new($"{address.Scheme}://{host}:{address.Port}/health/live");
    }
}
