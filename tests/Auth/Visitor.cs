using System.Net;
using System.Text;

namespace MinimalMcp.Tests.Auth;

/// <summary>A browser with its cookies, which follows no redirect by itself.</summary>
internal sealed class Visitor : IDisposable
{
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _http;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public Visitor(TestServer server, Visitor? like = null)
    {
        _cookies.Add(like?._cookies.GetAllCookies() ?? []);
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = _cookies })
        {
            BaseAddress = server.Url,
            Timeout = Wait.Limit,
        };
    }

    public Task<HttpResponseMessage> GetAsync(string path, string accept = "text/html") =>
        SendAsync(HttpMethod.Get, path, null, ("Accept", accept));

    public Task<HttpResponseMessage> PostAsync(string path, string json) =>
        SendAsync(HttpMethod.Post, path, json, ("Sec-Fetch-Site", "same-origin"));

    public async Task<HttpResponseMessage> SignInAsync(string password, string? user = null, string to = "dashboard")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/sign-in");
        request.Content = new FormUrlEncodedContent(
            new Dictionary<string, string>
            {
                ["username"] = user ?? "",
                ["password"] = password,
                ["return"] = to,
            }
        );
        return await _http.SendAsync(request, Stop);
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? json,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await _http.SendAsync(request, Stop);
    }

    public void Dispose() => _http.Dispose();
}

internal static class VisitorAnswers
{
    public static int Status(this HttpResponseMessage answer) => (int)answer.StatusCode;

    public static string? Location(this HttpResponseMessage answer) => answer.Headers.Location?.OriginalString;
}
