using System.Net;
using System.Text.Json.Nodes;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>What Vikunja's refusals mean, and what to do about them. Its own codes stand in the body beside the status.</summary>
internal static class VikunjaFailure
{
    public static Exception Of(
        int status,
        JsonObject? body,
        string plain,
        HttpMethod method,
        string scope,
        string again
    )
    {
        var code = body?["code"] is JsonValue value && value.TryGetValue<int>(out var number) ? number : 0;
        var said = Excerpt(body, plain) is { Length: > 0 } words
            ? $"Vikunja answered {status} ({words})"
            : $"Vikunja answered {status}";
        return status switch
        {
            // It says 401 also to a token that is good, but not for this route.
            401 => Upstream(
                401,
                $"{said}: our token is wrong or expired, or it lacks the permission \"{scope}\". Make a token that has it, and set Vikunja:Token."
            ),
            403 => new McpException(
                $"{said}: the user of our token may not do this here (\"{scope}\"). Share the project with that user, or use another one."
            ),
            404 when code == 3001 => new McpException($"{said}: vikunja_list_projects shows which projects there are."),
            404 when code == 4002 => new McpException(
                $"{said}: vikunja_search_tasks finds tasks. It may have been deleted."
            ),
            404 when body is null => Upstream(
                404,
                $"{said}: there is no such route. Check Vikunja:Url, and that Vikunja is 1.0 or newer."
            ),
            404 => new McpException($"{said}: look up the number again with the tool that lists such things."),
            405 or 501 => Upstream(
                status,
                $"{said}: this version of Vikunja does not have what was asked. 1.0 or newer is needed."
            ),
            409 => new McpException(
                $"{said}: it was changed by somebody else. Read it again and repeat the change on what it says now."
            ),
            412 when code == 3008 => new McpException(
                $"{said}: the project is archived. Somebody has to take it out of the archive first."
            ),
            429 => Upstream(429, $"{said}: too many requests. Try again {again}."),
            >= 500 => Upstream(
                status,
                $"{said}.{(method == HttpMethod.Get ? " Try again later, and ask the operator to look at its log." : Doubt(method))}"
            ),
            _ => new McpException($"{said}: nothing was changed. Correct the arguments."),
        };
    }

    public static HttpRequestException Unreadable(HttpMethod method) =>
        Upstream(
            502,
            $"Vikunja sent something of another shape than its API says, perhaps a login page. Check Vikunja:Url, what stands in front of the server, and that Vikunja is 1.0 or newer.{Doubt(method)}"
        );

    public static string Doubt(HttpMethod method) =>
        method == HttpMethod.Get ? "" : " The change may have been made all the same: look before trying again.";

    private static HttpRequestException Upstream(int status, string sentence) =>
        new(sentence, null, (HttpStatusCode)status);

    // A proxy in front of it, and some of its own routes, say the reason as plain text; a page is none.
    private static string Excerpt(JsonObject? body, string plain)
    {
        var said = body is null
            ? plain.TrimStart().StartsWith('<')
                ? ""
                : plain.Trim()
            : VikunjaClient.Text(body, "message");
        var fields = body?["invalid_fields"] is JsonArray { Count: > 0 } invalid
            ? $"; wrong: {string.Join(", ", invalid.Select(field => field?.ToString()))}"
            : "";
        var text = string.Concat($"{said?.TrimEnd('.')}{fields}".Where(letter => !char.IsControl(letter)));
        return text.Length > 200 ? text[..200] + "…" : text;
    }
}
