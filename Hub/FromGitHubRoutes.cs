using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>
/// Registers a server by its repository on GitHub. Only metadata is read; the server is inactive until somebody starts
/// it. A repository with several servers is refused, with the list of them.
/// </summary>
internal static class FromGitHubRoutes
{
    // What one request of ours may ask of GitHub.
    private const int MaxManifests = 30;

    private static readonly string[] Skipped = ["node_modules", "test", "tests", "example", "examples", "docs", "dist"];

    public static void Map(IEndpointRouteBuilder servers) =>
        servers
            .MapPost("/from-github", HubRoutes.Audited("from-github", CreateAsync))
            .RequireAuthorization(Scopes.Admin);

    private static async Task<object> CreateAsync(HttpContext http)
    {
        var (url, name) = await ReadAsync(http);
        var github = Of<FromGitHubClient>(http);
        var folder = GitHubFolder.Parse(url, github.Host)
            ?? throw new ServerRefusedException(
                StatusCodes.Status400BadRequest,
                "github_url must be https://github.com/OWNER/REPOSITORY, or a folder of it with /tree/BRANCH/FOLDER."
            );
        var proposed = await FindAsync(github, folder, Of<IOptions<HubOptions>>(http).Value, http.RequestAborted);
        var server = proposed.Server with
        {
            Name = name ?? proposed.Server.Name,
            GithubUrl = folder.Address,
            Wanted = false,
        };
        HubAudit.Describe(http, "server", server.Name);
        HubAudit.Describe(http, "repository", folder.Address);
        HubRoutes.Check(http, server);
        HubRoutes.CheckName(http, server);
        var created = await Of<ServerRegistry>(http).CreateAsync(server, http.RequestAborted);
        var answer = JsonSerializer.SerializeToNode(HubRoutes.Shown(http, created))!;
        answer["notes"] = new JsonArray([.. proposed.Notes.Select(note => (JsonNode)note)]);
        return answer;
    }

    // As JSON, or in the query as the guide's server reads it.
    private static async Task<(string Url, string? Name)> ReadAsync(HttpContext http)
    {
        string? url = http.Request.Query["github_url"],
            name = http.Request.Query["name"];
        if (http.Request.ContentLength is > 0 || http.Request.ContentType is not null)
        {
            foreach (var member in (await ServerBody.ReadAsync(http)).EnumerateObject())
            {
                var text = member.Value.ValueKind is JsonValueKind.String ? member.Value.GetString() : null;
                switch (member.Name)
                {
                    case "github_url":
                        url = text;
                        break;
                    case "name" when text is not null || member.Value.ValueKind is JsonValueKind.Null:
                        name = text;
                        break;
                    default:
                        throw FromGitHubClient.Unusable("The body has github_url and name, which are texts.");
                }
            }
        }

        return url is { Length: > 0 and <= 500 }
            ? (url, string.IsNullOrEmpty(name) ? null : name)
            : throw FromGitHubClient.Unusable("github_url is missing, is no text, or is longer than 500 characters.");
    }

    private static async Task<ProposedServer> FindAsync(
        FromGitHubClient github,
        GitHubFolder folder,
        HubOptions options,
        CancellationToken cancellationToken
    )
    {
        var (description, branch) = await github.RepositoryAsync(folder, cancellationToken);
        var files = await github.FilesAsync(folder, folder.Path, cancellationToken)
            ?? throw FromGitHubClient.Unusable($"The repository has no folder '{folder.Path}' on this branch.");
        List<string> reasons = [];
        var isWorkspace = false;
        foreach (var file in FromGitHubManifests.Names.Where(files.Contains))
        {
            if (await github.FileAsync(folder, At(folder.Path, file), cancellationToken) is not { } content)
            {
                continue;
            }

            isWorkspace |= file == "package.json" && FromGitHubManifests.IsWorkspace(content);
            if (Propose(file, content, options, reasons) is { } found)
            {
                return found with
                {
                    Server = found.Server with { Description = found.Server.Description ?? description },
                };
            }
        }

        if (reasons.Count == 0 || isWorkspace)
        {
            var candidates = await CandidatesAsync(
                github,
                folder with
                {
                    Branch = folder.Branch ?? branch,
                },
                options,
                cancellationToken
            );
            if (candidates is [var (_, only)])
            {
                return only;
            }

            if (candidates.Count > 1)
            {
                throw new ServerRefusedException(
                    StatusCodes.Status422UnprocessableEntity,
                    $"The repository has {candidates.Count} servers. Send the github_url of one of the candidates.",
                    candidates.Select(candidate => new
                    {
                        name = candidate.Server.Server.Name,
                        github_url = candidate.Folder.Address,
                        command = candidate.Server.Server.Command,
                        args = candidate.Server.Server.Args,
                        url = candidate.Server.Server.Url,
                    })
                );
            }
        }

        throw FromGitHubClient.Unusable(
            reasons.Count > 0
                ? string.Join(" ", reasons)
                : "The repository names nothing that runs without a checkout: no server.json of the MCP registry, no "
                    + "mcp.json, no published npm or Python package with a command. Register the server with its "
                    + "command instead."
        );
    }

    private static async Task<IReadOnlyList<(GitHubFolder Folder, ProposedServer Server)>> CandidatesAsync(
        FromGitHubClient github,
        GitHubFolder folder,
        HubOptions options,
        CancellationToken cancellationToken
    )
    {
        var below = folder.Path.Length == 0 ? "" : folder.Path + "/";
        var manifests = (await github.TreeAsync(folder, cancellationToken))
            .Where(path => path.StartsWith(below, StringComparison.Ordinal) && path.Length < 300)
            .Select(path => (Parts: path.Split('/'), Path: path))
            .Where(file =>
                file.Parts.Length <= 6
                && FromGitHubManifests.Names.Contains(file.Parts[^1])
                && !file.Parts.Intersect(Skipped, StringComparer.OrdinalIgnoreCase).Any()
            )
            .GroupBy(file => string.Join('/', file.Parts[..^1]))
            .Where(group => group.Key != folder.Path)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Take(MaxManifests)
            // The most explicit file of each folder.
            .Select(group =>
                (
                    Folder: folder with
                    {
                        Path = group.Key,
                    },
                    File: group.MinBy(file => FromGitHubManifests.Names.ToList().IndexOf(file.Parts[^1])).Path
                )
            );
        List<(GitHubFolder, ProposedServer)> found = [];
        foreach (var (at, file) in manifests)
        {
            if (
                await github.FileAsync(folder, file, cancellationToken) is { } content
                && Propose(file.Split('/')[^1], content, options, []) is { } server
            )
            {
                found.Add((at, server));
            }
        }

        return found;
    }

    private static ProposedServer? Propose(string file, byte[] content, HubOptions options, List<string> reasons)
    {
        try
        {
            return FromGitHubManifests.Read(file, content, options);
        }
        catch (StartupException why)
        {
            reasons.Add(why.Message);
            return null;
        }
    }

    private static string At(string folder, string file) => folder.Length == 0 ? file : $"{folder}/{file}";

    private static T Of<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();
}
