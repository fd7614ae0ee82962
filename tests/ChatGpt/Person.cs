using System.Net;
using System.Text.RegularExpressions;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// The person in front of the browser to which ChatGPT hands the sign-in: reads the page, types the key, presses a
/// button.
/// </summary>
internal sealed partial class Person : IDisposable
{
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _browser;
    private readonly Options _options;

    public Person(Options options)
    {
        _options = options;
        _browser = new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                CookieContainer = _cookies,
                UseProxy = false,
            }
        )
        {
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    public async Task<HttpAnswer> OpenAsync(Uri url)
    {
        using var response = await _browser.GetAsync(url);
        return await HttpAnswer.ReadAsync(response);
    }

    /// <summary>Fills in the page's form as it stands and sends it.</summary>
    public async Task<HttpAnswer> DecideAsync(Uri page, HttpAnswer shown, bool allow, string? key = null)
    {
        var form = Form().Match(shown.Body);
        Must.Be(form.Success, $"the page has no form: {(shown.Body.Length > 300 ? shown.Body[..300] : shown.Body)}");
        var fields = new List<KeyValuePair<string, string>>();
        foreach (var input in Input().Matches(form.Value).Select(match => match.Value))
        {
            if (Attribute(input, "name") is not { } name || Attribute(input, "type") is "submit" or "checkbox")
            {
                continue;
            }

            fields.Add(
                new(
                    name,
                    Attribute(input, "type") switch
                    {
                        "password" => key ?? _options.Key ?? "",
                        "hidden" => Attribute(input, "value") ?? "",
                        _ => _options.User ?? Attribute(input, "value") ?? "",
                    }
                )
            );
        }

        var button = Button()
            .Matches(form.Value)
            .Select(match => match.Value)
            .FirstOrDefault(button =>
                (Attribute(button, "value") ?? "").Contains(
                    allow ? "allow" : "deny",
                    StringComparison.OrdinalIgnoreCase
                )
            )
            ?? throw new CheckFailedException($"the page has no button to {(allow ? "allow" : "deny")}");
        fields.Add(new(Attribute(button, "name") ?? "decision", Attribute(button, "value")!));
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(page, Attribute(form.Value, "action") ?? page.AbsolutePath)
        )
        {
            Content = new FormUrlEncodedContent(fields),
        };
        request.Headers.Add("Origin", page.GetLeftPart(UriPartial.Authority));
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var response = await _browser.SendAsync(request);
        return await HttpAnswer.ReadAsync(response);
    }

    /// <summary>From the authorization request to the address that the browser is sent back to.</summary>
    public async Task<Uri> SignInAsync(Uri request, bool allow = true)
    {
        var shown = await OpenAsync(request);
        var answer = shown.Status is HttpStatusCode.OK ? await DecideAsync(request, shown, allow) : shown;
        return answer.Headers.Location
            ?? throw new CheckFailedException(
                $"the browser is not sent back but shown {(int)answer.Status}: "
                    + $"{(answer.Body.Length > 300 ? answer.Body[..300] : answer.Body)}"
            );
    }

    public void Dispose() => _browser.Dispose();

    private static string? Attribute(string tag, string name) =>
        Regex.Match(
            tag[..(tag.IndexOf('>', StringComparison.Ordinal) + 1)],
            $@"\b{name}\s*=\s*(?:""([^""]*)""|'([^']*)'|([^\s>]+))",
            RegexOptions.IgnoreCase
        )
            is { Success: true } match
            ? WebUtility.HtmlDecode(match.Groups[1].Value + match.Groups[2].Value + match.Groups[3].Value)
            : null;

    [GeneratedRegex("<form.*?</form>", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Form();

    [GeneratedRegex("<input[^>]*>", RegexOptions.IgnoreCase)]
    private static partial Regex Input();

    [GeneratedRegex("<button[^>]*>", RegexOptions.IgnoreCase)]
    private static partial Regex Button();
}
