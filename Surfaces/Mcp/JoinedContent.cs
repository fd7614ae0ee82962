using System.Security.Claims;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Prompts, resources and completions of other servers, beside those of the SDK's collections: each method answers, or
/// asks the SDK. <c>/mcp/{server}</c> serves that server alone, under its own names.
/// </summary>
internal sealed class JoinedContent(JoinedServers servers)
{
    /// <summary>What the request that is answered sees.</summary>
    private ServerView View => new(servers, SdkCall.Current.Tools);

    private static ClaimsPrincipal? User => SdkCall.Current.Origin.User;

    /// <summary>The name of another server's resource in <see cref="ResourceUpdates"/>.</summary>
    public string? Key(string uri) =>
        View.FindResource(uri) is { } found ? ServerUri.Join(found.Server.Name, found.Uri) : null;

    public void AddTo(McpRequestFilters filters)
    {
        filters.ListPromptsFilters.Add(next =>
            async (request, stop) =>
            {
                var result = View.IsOfOne ? new() : await next(request, stop);
                AddJoined(result.Prompts, server => server.Prompts, Here);
                return result;
            }
        );
        filters.GetPromptFilters.Add(next =>
            async (request, stop) =>
                View.FindPrompt(request.Params!.Name) is { } found
                    ? await GetPromptAsync(found.Server, found.Prompt, request.Params, stop)
                : View.IsOfOne ? throw Unknown("prompt", request.Params.Name)
                : await next(request, stop)
        );
        filters.ListResourcesFilters.Add(next =>
            async (request, stop) =>
            {
                var result = View.IsOfOne ? new() : await next(request, stop);
                AddJoined(result.Resources, server => server.Resources, Here);
                return result;
            }
        );
        filters.ListResourceTemplatesFilters.Add(next =>
            async (request, stop) =>
            {
                var result = View.IsOfOne ? new() : await next(request, stop);
                AddJoined(result.ResourceTemplates, server => server.Templates, Here);
                return result;
            }
        );
        filters.ReadResourceFilters.Add(next =>
            async (request, stop) =>
                View.FindResource(request.Params!.Uri) is { } found ? await ReadAsync(found.Server, found.Uri, stop)
                : View.IsOfOne ? throw Unknown("resource", request.Params.Uri)
                : await next(request, stop)
        );
        filters.CompleteFilters.Add(next =>
            async (request, stop) =>
            {
                var (server, reference) = Find(request.Params!.Ref);
                return server is null
                    ? await next(request, stop)
                    : await server.Requests.CompleteAsync(
                        new()
                        {
                            Ref = reference!,
                            Argument = request.Params.Argument,
                            Context = request.Params.Context,
                        },
                        User,
                        stop
                    );
            }
        );
    }

    private void AddJoined<T>(
        IList<T> list,
        Func<JoinedServer, IEnumerable<Joined<T>>> entries,
        Func<Joined<T>, T> here
    )
    {
        var view = View;
        foreach (var entry in view.Servers.SelectMany(entries))
        {
            list.Add(view.IsOfOne ? entry.Own : here(entry));
        }
    }

    private (JoinedServer? Server, Reference? Own) Find(Reference reference) =>
        reference switch
        {
            PromptReference prompt when View.FindPrompt(prompt.Name) is { } found => (
                found.Server,
                new PromptReference { Name = found.Prompt.Name }
            ),
            ResourceTemplateReference { Uri: { } uri } when View.FindTemplate(uri) is { } found => (
                found.Server,
                new ResourceTemplateReference { Uri = found.Uri }
            ),
            _ => (null, null),
        };

    private async ValueTask<GetPromptResult> GetPromptAsync(
        JoinedServer server,
        Prompt prompt,
        GetPromptRequestParams parameters,
        CancellationToken cancellationToken
    )
    {
        var result = await server.Requests.GetPromptAsync(
            new() { Name = prompt.Name, Arguments = parameters.Arguments },
            User,
            cancellationToken
        );
        if (!View.IsOfOne)
        {
            JoinedServer.Rename(result.Messages.Select(message => message.Content), server.UriHere);
        }

        return result;
    }

    private async ValueTask<ReadResourceResult> ReadAsync(
        JoinedServer server,
        string uri,
        CancellationToken cancellationToken
    )
    {
        var result = await server.Requests.ReadAsync(uri, User, cancellationToken);
        foreach (var content in View.IsOfOne ? [] : result.Contents)
        {
            content.Uri = server.UriHere(content.Uri);
        }

        return result;
    }

    private static Prompt Here(Joined<Prompt> prompt) =>
        new()
        {
            Name = prompt.Name,
            Title = prompt.Own.Title ?? prompt.Own.Name,
            Description = prompt.Own.Description,
            Arguments = prompt.Own.Arguments,
        };

    private static Resource Here(Joined<Resource> resource) =>
        new()
        {
            Uri = resource.Name,
            Name = resource.Own.Name,
            Title = resource.Own.Title,
            Description = resource.Own.Description,
            MimeType = resource.Own.MimeType,
            Size = resource.Own.Size,
            Annotations = resource.Own.Annotations,
        };

    private static ResourceTemplate Here(Joined<ResourceTemplate> template) =>
        new()
        {
            UriTemplate = template.Name,
            Name = template.Own.Name,
            Title = template.Own.Title,
            Description = template.Own.Description,
            MimeType = template.Own.MimeType,
            Annotations = template.Own.Annotations,
        };

    private static McpProtocolException Unknown(string what, string name) =>
        new($"Unknown {what}: '{(name.Length <= 60 ? name : name[..60] + "…")}'", McpErrorCode.InvalidParams);
}
