using Microsoft.Extensions.Options;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Hub;

/// <summary>
/// The prompts and resources of other servers among ours: prompts named <c>{server}_{prompt}</c>, resources with the
/// URIs of <see cref="ServerUri"/>, unless the server keeps its own names.
/// </summary>
internal sealed partial class JoinedPrompts(
    JoinedServers servers,
    IServiceProvider services,
    ILogger<JoinedPrompts> logger
)
{
    private const int MaxDescription = 4_000;
    private const int MaxNotices = 100;

    private readonly Lock _changing = new();
    private readonly Dictionary<long, (string Name, IReadOnlyList<string> Notices)> _joined = [];

    public void Join(ServerDefinition server, ServerLists lists, IServerRequests requests)
    {
        lock (_changing)
        {
            var before = _joined.GetValueOrDefault(server.Id);
            if (before.Name is { } name && name != server.Name)
            {
                servers.Replace(name, null);
            }

            List<string> notices = [];
            var joined = new JoinedServer(server.Name, requests)
            {
                Prompts = [.. Prompts(server, lists.Prompts, notices)],
                Resources = [.. Resources(server, lists.Resources, notices)],
                Templates = [.. Templates(server, lists.ResourceTemplates, notices)],
            };
            foreach (var notice in notices.Take(MaxNotices).Except(before.Notices ?? []).ToArray())
            {
                LogNotice(server.Name, notice);
            }

            _joined[server.Id] = (server.Name, [.. notices.Take(MaxNotices)]);
            servers.Replace(server.Name, joined);
        }
    }

    public void Leave(long id)
    {
        lock (_changing)
        {
            if (_joined.Remove(id, out var left))
            {
                servers.Replace(left.Name, null);
            }
        }
    }

    /// <summary>What an operator should know about the prompts and resources of a server.</summary>
    public IReadOnlyList<string> Notices(long id)
    {
        lock (_changing)
        {
            return _joined.GetValueOrDefault(id).Notices ?? [];
        }
    }

    private IEnumerable<Joined<Prompt>> Prompts(
        ServerDefinition server,
        IReadOnlyList<Prompt> prompts,
        List<string> notices
    )
    {
        Dictionary<string, (string Who, bool IsSame)> taken = new(StringComparer.Ordinal);
        foreach (var name in Own()?.PromptCollection?.Select(prompt => prompt.ProtocolPrompt.Name) ?? [])
        {
            taken.TryAdd(name, ("this server", false));
        }

        foreach (var (other, prompt) in Others(server, other => other.Prompts))
        {
            taken.TryAdd(prompt.Name, (other, false));
        }

        foreach (var prompt in prompts)
        {
            var name = JoinedNames.Of(server, prompt.Name);
            if (JoinedNames.Problem(server, "prompt", prompt.Name, name, taken) is { } problem)
            {
                notices.Add(problem);
                continue;
            }

            taken[name] = (prompt.Name, true);
            yield return new(
                name,
                new()
                {
                    Name = prompt.Name,
                    Title = Short(prompt.Title),
                    Description = Cut(prompt.Description),
                    Arguments =
                    [
                        .. (prompt.Arguments ?? []).Select(argument => new PromptArgument
                        {
                            Name = argument.Name,
                            Title = Short(argument.Title),
                            Description = Cut(argument.Description),
                            Required = argument.Required,
                        }),
                    ],
                }
            );
        }
    }

    private IEnumerable<Joined<Resource>> Resources(
        ServerDefinition server,
        IReadOnlyList<Resource> resources,
        List<string> notices
    )
    {
        // The descriptions in _meta, and icons, can be kilobytes in each entry: they are not passed on.
        var shown = resources.Select(resource => new Resource
        {
            Uri = resource.Uri,
            Name = resource.Name,
            Title = Short(resource.Title),
            Description = Cut(resource.Description),
            MimeType = resource.MimeType,
            Size = resource.Size,
            Annotations = resource.Annotations,
        });
        HashSet<string> own =
        [
            .. Own()
                ?.ResourceCollection?.Where(resource => resource.ProtocolResource is not null)
                .Select(resource => resource.ProtocolResource!.Uri)
                ?? [],
        ];
        return Located(server, shown, one => one.Uri, own, other => other.Resources, notices);
    }

    private IEnumerable<Joined<ResourceTemplate>> Templates(
        ServerDefinition server,
        IReadOnlyList<ResourceTemplate> templates,
        List<string> notices
    )
    {
        var shown = templates.Select(template => new ResourceTemplate
        {
            UriTemplate = template.UriTemplate,
            Name = template.Name,
            Title = Short(template.Title),
            Description = Cut(template.Description),
            MimeType = template.MimeType,
            Annotations = template.Annotations,
        });
        HashSet<string> own =
        [
            .. Own()?.ResourceCollection?.Select(resource => resource.ProtocolResourceTemplate.UriTemplate) ?? [],
        ];
        return Located(server, shown, one => one.UriTemplate, own, other => other.Templates, notices);
    }

    // By server only where that is asked for: then a URI can be taken.
    private IEnumerable<Joined<T>> Located<T>(
        ServerDefinition server,
        IEnumerable<T> entries,
        Func<T, string> uriOf,
        HashSet<string> own,
        Func<JoinedServer, IEnumerable<Joined<T>>> ofOthers,
        List<string> notices
    )
    {
        Dictionary<string, string> taken = new(StringComparer.Ordinal);
        if (server.OwnNames)
        {
            foreach (var uri in own)
            {
                taken[uri] = "this server";
            }

            foreach (var (other, entry) in Others(server, ofOthers))
            {
                taken.TryAdd(entry.Name, other);
            }
        }

        foreach (var entry in entries)
        {
            var uri = server.OwnNames ? uriOf(entry) : ServerUri.Join(server.Name, uriOf(entry));
            if (taken.TryGetValue(uri, out var holder))
            {
                notices.Add(
                    $"The resource {JoinedNames.Shown(uriOf(entry))} is not listed: {holder} has that URI already."
                        + (holder == server.Name ? "" : " Set names of the server to prefixed.")
                );
                continue;
            }

            taken[uri] = server.Name;
            yield return new(uri, entry);
        }
    }

    private IEnumerable<(string Server, Joined<T> Entry)> Others<T>(
        ServerDefinition server,
        Func<JoinedServer, IEnumerable<Joined<T>>> entries
    ) =>
        servers
            .Current.Where(other => other.Name != server.Name)
            .SelectMany(other => entries(other).Select(entry => (other.Name, entry)));

    private McpServerOptions? Own() => services.GetService<IOptions<McpServerOptions>>()?.Value;

    private static string? Cut(string? text) => text is null ? null : TextLimit.Cut(text, MaxDescription);

    private static string? Short(string? text) => text is null ? null : TextLimit.Cut(text, TextLimit.Name);

    [LoggerMessage(LogLevel.Warning, "Server {Server}: {Notice}")]
    private partial void LogNotice(string server, string notice);
}
