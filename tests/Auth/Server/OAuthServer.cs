using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>
/// A server in mode embedded, and a browser and a client that go through the flow with it step by step.
/// </summary>
internal sealed partial class OAuthServer : IAsyncDisposable
{
    /// <summary>The operator's, that is typed on the page.</summary>
    public const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    public const string ReaderKey = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga";
    public const string Secret = "gpt-action-9f4c1e7b2a8d5036c4b1e9f7";

    public const string ChatGpt = "https://chatgpt.com/connector_platform_oauth_redirect";
    public const string Loopback = "http://127.0.0.1:4321/callback";
    public const string ActionAddress = "https://chat.openai.com/aip/g-1/oauth/callback";

    private readonly TestServer? _owned;

    private OAuthServer(Uri url, string issuer, TestServer? owned = null)
    {
        (Issuer, _owned) = (issuer, owned);
        Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = url };
    }

    public HttpClient Http { get; }

    public TestServer Server => _owned!;

    public string Issuer { get; }

    public string Resource => Issuer + "/mcp";

    /// <summary>What the last page set, as a browser would keep it.</summary>
    public string? Cookie { get; set; }

    /// <summary>Where the requests come from, as a proxy on this machine says it: limits count by it.</summary>
    public string? Address { get; set; }

    /// <summary>Somebody else, elsewhere, at the same server.</summary>
    public OAuthServer Visitor(string? address = null) => new(Http.BaseAddress!, Issuer) { Address = address };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static OAuthServer Start(params (string Key, string Value)[] settings) => Start(null, settings);

    /// <summary>A server that runs already.</summary>
    public static OAuthServer At(Uri url, string issuer) => new(url, issuer);

    public Task WaitAsync() => Protocol.ServerProcess.ReadyAsync(Http, Http.BaseAddress!.ToString().TrimEnd('/'));

    public static OAuthServer Start(Action<IServiceCollection>? services, params (string Key, string Value)[] settings)
    {
        var server = TestServer.Start(
            collection =>
            {
                NotesTools.Alone(collection);
                services?.Invoke(collection);
            },
            [.. Settings, .. settings]
        );
        return new(
            server.Url,
            settings.FirstOrDefault(setting => setting.Key == "Server:PublicUrl").Value ?? server.BaseUrl,
            server
        );
    }

    private static readonly (string, string)[] Settings =
    [
        ("Auth:Mode", "embedded"),
        ("Auth:ApiKey", Key),
        ("Auth:ApiKeys:reader:Key", ReaderKey),
        ("Auth:ApiKeys:reader:Scopes", "mcp:read"),
        ("Auth:Server:ClientId", "gpt-action"),
        ("Auth:Server:ClientSecret", Secret),
        ("Auth:Server:RedirectUri", ActionAddress),
        ("Auth:Server:Clients:machine:Secret", Secret + "2"),
        ("Auth:Server:Clients:machine:Scope", "mcp:read mcp:write"),
        ("Auth:Server:Clients:public:RedirectUris", ChatGpt),
        ("Auth:Server:Clients:public:Name", "A public client"),
    ];

    /// <summary>Registers a public client as ChatGPT does, and gives its id.</summary>
    public async Task<string> RegisterAsync(string redirect = ChatGpt, string method = "none", string? scope = null)
    {
        using var answer = await PostJsonAsync(
            "/auth/register",
            JsonSerializer.Serialize(
                new
                {
                    client_name = "ChatGPT",
                    redirect_uris = new[] { redirect },
                    token_endpoint_auth_method = method,
                    grant_types = new[] { "authorization_code", "refresh_token" },
                    scope,
                }
            )
        );
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await JsonAsync(answer)).GetProperty("client_id").GetString()!;
    }

    public Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(new(HttpMethod.Get, path), headers);

    public Task<HttpResponseMessage> PostJsonAsync(
        string path,
        string json,
        params (string Name, string Value)[] headers
    ) =>
        SendAsync(
            new(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") },
            headers
        );

    public Task<HttpResponseMessage> PostFormAsync(
        string path,
        IEnumerable<(string Name, string Value)> form,
        params (string Name, string Value)[] headers
    ) =>
        SendAsync(
            new(HttpMethod.Post, path)
            {
                Content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value))),
            },
            headers
        );

    /// <summary>
    /// The address that a client sends a person to; what is named replaces what a good one has, and null leaves it out.
    /// </summary>
    public string AuthorizeAddress(string client, params (string Name, string? Value)[] changes)
    {
        var parameters = new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = client,
            ["redirect_uri"] = ChatGpt,
            ["state"] = "s&t=1",
            ["scope"] = "mcp:read mcp:write",
            ["resource"] = Resource,
            ["code_challenge"] = ChallengeOf(Verifier),
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
        {
            parameters[name] = value;
        }

        return QueryHelpers.AddQueryString(
            "/auth/authorize",
            parameters.Where(parameter => parameter.Value is not null)
        );
    }

    /// <summary>Opens the page and gives the ticket in its form.</summary>
    public async Task<string> OpenPageAsync(string client, params (string Name, string? Value)[] changes)
    {
        using var page = await GetAsync(AuthorizeAddress(client, changes));
        var html = await page.Content.ReadAsStringAsync(Stop);
        Assert.True(page.StatusCode == HttpStatusCode.OK, html + page.Headers.Location);
        return Ticket().Match(html).Groups[1].Value;
    }

    public Task<HttpResponseMessage> AnswerAsync(
        string ticket,
        string password = Key,
        string decision = "allow",
        string? username = null,
        params (string Name, string Value)[] headers
    ) =>
        PostFormAsync(
            "/auth/authorize",
            [
                ("ticket", ticket),
                ("password", password),
                ("decision", decision),
                .. username is null ? [] : new[] { ("username", username) },
            ],
            headers
        );

    /// <summary>The whole way of a person: page, key, Allow; gives what the client gets at its address.</summary>
    public async Task<Dictionary<string, string>> AuthorizeAsync(
        string client,
        string password = Key,
        params (string Name, string? Value)[] changes
    )
    {
        using var answer = await AnswerAsync(await OpenPageAsync(client, changes), password);
        Assert.True(answer.StatusCode == HttpStatusCode.SeeOther, await answer.Content.ReadAsStringAsync(Stop));
        return Query(answer);
    }

    /// <summary>And then the tokens.</summary>
    public async Task<JsonElement> SignInAsync(
        string client,
        string password = Key,
        params (string Name, string? Value)[] changes
    )
    {
        var code = (await AuthorizeAsync(client, password, changes))["code"];
        using var answer = await TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("code_verifier", Verifier)
        );
        var json = await JsonAsync(answer);
        Assert.True(answer.IsSuccessStatusCode, json.ToString());
        return json;
    }

    public Task<HttpResponseMessage> TokenAsync(params (string Name, string Value)[] form) =>
        PostFormAsync("/auth/token", form);

    public Task<HttpResponseMessage> RefreshAsync(string client, string token, string? scope = null) =>
        PostFormAsync(
            "/auth/token",
            [
                ("grant_type", "refresh_token"),
                ("client_id", client),
                ("refresh_token", token),
                .. scope is null ? [] : new[] { ("scope", scope) },
            ]
        );

    /// <summary>The status that a call of a tool with this token gets.</summary>
    public async Task<HttpStatusCode> CallAsync(
        string accessToken,
        string tool = "list_picked",
        string arguments = "{}"
    )
    {
        using var answer = await PostJsonAsync("/tools/" + tool, arguments, ("Authorization", "Bearer " + accessToken));
        return answer.StatusCode;
    }

    public static string Verifier => "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    public static string ChallengeOf(string verifier) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    public static (string, string) Basic(string id, string secret) =>
        (
            "Authorization",
            "Basic "
                + Convert.ToBase64String(
                    Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(id)}:{Uri.EscapeDataString(secret)}")
                )
        );

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) =>
        JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop));

    public static Dictionary<string, string> Query(HttpResponseMessage answer) =>
        QueryHelpers
            .ParseQuery(answer.Headers.Location!.Query)
            .ToDictionary(parameter => parameter.Key, parameter => parameter.Value.ToString());

    public static JsonElement Claims(string jwt) => JsonElement.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[1]));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_owned is not null)
        {
            await _owned.DisposeAsync();
        }
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        params (string Name, string Value)[] headers
    )
    {
        if (Cookie is { Length: > 0 })
        {
            request.Headers.Add("Cookie", Cookie);
        }

        if (Address is not null)
        {
            request.Headers.Add("X-Forwarded-For", Address);
        }

        foreach (var (name, value) in headers)
        {
            Assert.True(
                request.Headers.TryAddWithoutValidation(name, value)
                    || request.Content?.Headers.TryAddWithoutValidation(name, value) == true,
                name
            );
        }

        var answer = await Http.SendAsync(request, Stop);
        if (answer.Headers.TryGetValues("Set-Cookie", out var cookies))
        {
            Cookie = cookies.Single().Split(';')[0];
        }

        return answer;
    }

    [GeneratedRegex("name=\"ticket\" value=\"([^\"]+)\"")]
    private static partial Regex Ticket();
}
