using System.ComponentModel;
using System.Net.Http.Json;
using System.Text.Json;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Outgoing;

/// <summary>A family as one would write it, with nothing but the framework's client.</summary>
public sealed class AskTools(IHttpClientFactory http)
{
    public const string HeaderSecret = "secret-in-a-header",
        QuerySecret = "secret-in-a-query",
        AnswerSecret = "secret-in-an-answer";

    [McpServerTool(Name = "ask", ReadOnly = true), Description("Asks a system and gives its JSON.")]
    public async Task<JsonElement> Ask(
        string method = "GET",
        bool headersFirst = false,
        string system = "Alpha",
        string? circuit = null,
        CancellationToken ct = default
    )
    {
        using var request = new HttpRequestMessage(new(method), "things/1?token=" + QuerySecret);
        if (circuit is not null)
        {
            request.Options.Set(new HttpRequestOptionsKey<string>("Circuit"), circuit);
        }

        using var response = await http.CreateClient(system + "Client")
            .SendAsync(
                request,
                headersFirst ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead,
                ct
            );
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    [
        McpServerTool(Name = "forget", ReadOnly = true),
        Description("Asks a system and forgets the answer without closing it.")
    ]
    public async Task<string> Forget(CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "things/1");
        var response = await http.CreateClient("AlphaClient")
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        return response.StatusCode.ToString();
    }
}
