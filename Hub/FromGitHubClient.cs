using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Hub;

/// <summary>Where metadata of repositories is read. Configuration section <c>GitHub</c>.</summary>
internal sealed class GitHubOptions : IValidatableObject
{
    /// <summary>The API: of an own server, <c>https://HOST/api/v3</c>.</summary>
    public string Url { get; set; } = "https://api.github.com";

    /// <summary>For private repositories, and for more than 60 requests an hour. It needs read access only.</summary>
    [DataType(DataType.Password)]
    public string? Token { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (
            !Uri.TryCreate(Url, UriKind.Absolute, out var url)
            || url is not { UserInfo: "", Query: "", Fragment: "" }
            || !(url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback))
        )
        {
            yield return new(
                "GitHub:Url (GITHUB_API_URL) must be an https address without user name or query, such as "
                    + "https://api.github.com."
            );
        }

        if (Token?.Any(letter => letter is <= ' ' or > '~') is true)
        {
            yield return new("GitHub:Token (GITHUB_TOKEN) has a character that no HTTP header may have.");
        }
    }
}

/// <summary>A folder of a repository. Nothing else of an address gets into a request.</summary>
internal sealed partial record GitHubFolder(string Owner, string Repository, string? Branch, string Path)
{
    public string Address =>
        $"https://github.com/{Owner}/{Repository}{(Path.Length == 0 ? "" : $"/tree/{Branch ?? "HEAD"}/{Path}")}";

    /// <summary>
    /// Reads <c>https://github.com/OWNER/REPOSITORY</c>, also with <c>/tree/BRANCH/FOLDER</c>, and
    /// <c>OWNER/REPOSITORY</c>. Null for anything else.
    /// </summary>
    /// <param name="host">The host of an own GitHub server.</param>
    public static GitHubFolder? Parse(string text, string host)
    {
        var parts = text.Trim();
        if (parts.Contains(':', StringComparison.Ordinal))
        {
            if (
                !Uri.TryCreate(parts, UriKind.Absolute, out var url)
                || url is not { Scheme: "https", UserInfo: "", Query: "", Fragment: "", IsDefaultPort: true }
                || !(url.Host is "github.com" or "www.github.com" || url.Host == host)
            )
            {
                return null;
            }

            parts = Uri.UnescapeDataString(url.AbsolutePath);
        }

        string[] names = parts.Trim('/').Split('/');
        if (names is not [var owner, var name, ..] || names.Length > 12)
        {
            return null;
        }

        var repository = name.EndsWith(".git", StringComparison.Ordinal) ? name[..^4] : name;
        var (branch, path) =
            names.Length == 2 ? (null, []) : (names.ElementAtOrDefault(3), names[Math.Min(4, names.Length)..]);
        return
            OwnerName().IsMatch(owner)
            && PartName().IsMatch(repository)
            && (names.Length == 2 || (names[2] == "tree" && branch is not null && PartName().IsMatch(branch)))
            && path.All(part => PartName().IsMatch(part))
            ? new(owner, repository, branch, string.Join('/', path))
            : null;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9-]{0,38}\z")]
    private static partial Regex OwnerName();

    // Not "." or "..", and no option of a command.
    [GeneratedRegex(@"\A(?!\.{1,2}\z)[A-Za-z0-9._][A-Za-z0-9._-]{0,99}\z")]
    private static partial Regex PartName();
}

/// <summary>Reads metadata and single files by GitHub's API. It never downloads a repository.</summary>
internal sealed class FromGitHubClient(HttpClient http, IOptions<GitHubOptions> options)
{
    public const int MaxFile = 256 << 10;

    public string Host => new Uri(options.Value.Url).Host;

    /// <summary>The description and the default branch.</summary>
    public async Task<(string? Description, string Branch)> RepositoryAsync(
        GitHubFolder folder,
        CancellationToken cancellationToken
    )
    {
        var repository = await GetAsync(folder, "", cancellationToken)
            ?? throw Unusable(
                $"GitHub has no repository {folder.Owner}/{folder.Repository}, or it is private and GITHUB_TOKEN may "
                    + "not read it."
            );
        return (Text(repository, "description"), Text(repository, "default_branch") ?? "HEAD");
    }

    /// <summary>The names of the files in a folder; null when there is no such folder.</summary>
    public async Task<IReadOnlyList<string>?> FilesAsync(
        GitHubFolder folder,
        string path,
        CancellationToken cancellationToken
    ) =>
        await GetAsync(folder, $"/contents/{Escaped(path)}{Ref(folder)}", cancellationToken)
            is { ValueKind: JsonValueKind.Array } entries
            ?
            [
                .. entries
                    .EnumerateArray()
                    .Where(entry => Text(entry, "type") == "file")
                    .Select(entry => Text(entry, "name") ?? ""),
            ]
            : null;

    /// <summary>The paths of all files of the repository; a part of them when it is very large.</summary>
    public async Task<IReadOnlyList<string>> TreeAsync(GitHubFolder folder, CancellationToken cancellationToken) =>
        await GetAsync(folder, $"/git/trees/{folder.Branch ?? "HEAD"}?recursive=1", cancellationToken) is { } tree
        && tree.TryGetProperty("tree", out var entries)
        && entries.ValueKind is JsonValueKind.Array
            ?
            [
                .. entries
                    .EnumerateArray()
                    .Where(entry => Text(entry, "type") == "blob")
                    .Select(entry => Text(entry, "path") ?? ""),
            ]
            : [];

    /// <summary>A file; null when there is none, or it is too large to be a manifest.</summary>
    public async Task<byte[]?> FileAsync(GitHubFolder folder, string path, CancellationToken cancellationToken)
    {
        if (
            await GetAsync(folder, $"/contents/{Escaped(path)}{Ref(folder)}", cancellationToken)
                is not { ValueKind: JsonValueKind.Object } file
            || Text(file, "encoding") != "base64"
            || Text(file, "content") is not { Length: <= MaxFile * 2 } content
        )
        {
            return null;
        }

        try
        {
            return Convert.FromBase64String(content.Replace("\n", "", StringComparison.Ordinal));
        }
        catch (FormatException)
        {
            throw Away("GitHub answered a file that is not base64.");
        }
    }

    public static ServerRefusedException Unusable(string why) => new(StatusCodes.Status422UnprocessableEntity, why);

    // Null for 404.
    private async Task<JsonElement?> GetAsync(GitHubFolder folder, string rest, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            $"{options.Value.Url.TrimEnd('/')}/repos/{folder.Owner}/{folder.Repository}{rest}"
        );
        request.Headers.Accept.ParseAdd("application/vnd.github+json");
        request.Headers.UserAgent.ParseAdd("MinimalMcp");
        request.Headers.Add("X-GitHub-Api-Version", "2022-11-28");
        if (options.Value.Token is { Length: > 0 } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        try
        {
            using var answer = await http.SendAsync(request, cancellationToken);
            return answer.StatusCode switch
            {
                HttpStatusCode.OK => JsonElement.Parse(
                    await answer.Content.ReadAsByteArrayAsync(cancellationToken),
                    new JsonDocumentOptions { MaxDepth = 16 }
                ),
                HttpStatusCode.NotFound => null,
                HttpStatusCode.Unauthorized => throw Away(
                    "GitHub does not accept the token. Check GitHub:Token (GITHUB_TOKEN)."
                ),
                HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests => throw Away(
                    options.Value.Token is { Length: > 0 }
                        ? "GitHub refuses the request: the token may not read this, or sent too many requests."
                        : "GitHub refuses the request: without a token there are 60 an hour. Set GITHUB_TOKEN."
                ),
                var status => throw Away($"GitHub answered {(int)status}. Try again later."),
            };
        }
        catch (HttpRequestException moved) when ((int?)moved.StatusCode is >= 300 and < 400)
        {
            throw Unusable("The repository was renamed or moved. Use the address that it has now.");
        }
        catch (HttpRequestException failure)
        {
            throw Away(failure.Message);
        }
        catch (JsonException)
        {
            throw Away("GitHub answered something that is not JSON. Check GitHub:Url (GITHUB_API_URL).");
        }
    }

    private static ServerRefusedException Away(string why) => new(StatusCodes.Status502BadGateway, why);

    private static string Ref(GitHubFolder folder) =>
        folder.Branch is null ? "" : $"?ref={Uri.EscapeDataString(folder.Branch)}";

    private static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object
        && json.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;
}
