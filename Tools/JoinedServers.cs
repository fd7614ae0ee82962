using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

/// <summary>
/// The other servers whose prompts and resources are served here, as <see cref="ToolRegistry"/> has their tools. They
/// may change while the server runs.
/// </summary>
internal sealed class JoinedServers
{
    private readonly Lock _changing = new();
    private volatile JoinedServer[] _current = [];

    /// <summary>Raised with the method of the notification that clients get.</summary>
    public event Action<string>? Changed;

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<JoinedServer> Current => _current;

    public JoinedServer? Find(string name) => Array.Find(_current, server => server.Name == name);

    /// <summary>Replaces the server of that name. Clients are notified when the lists differ.</summary>
    /// <param name="after">Null to remove it.</param>
    public void Replace(string name, JoinedServer? after)
    {
        JoinedServer? before;
        lock (_changing)
        {
            before = Find(name);
            JoinedServer[] others = [.. _current.Where(server => server.Name != name)];
            _current = after is null
                ? others
                : [.. others.Append(after).OrderBy(server => server.Name, StringComparer.Ordinal)];
        }

        if (Differs(before?.Prompts ?? [], after?.Prompts ?? []))
        {
            Changed?.Invoke(NotificationMethods.PromptListChangedNotification);
        }

        if (
            Differs(before?.Resources ?? [], after?.Resources ?? [])
            || Differs(before?.Templates ?? [], after?.Templates ?? [])
        )
        {
            Changed?.Invoke(NotificationMethods.ResourceListChangedNotification);
        }
    }

    private static bool Differs<T>(IReadOnlyList<Joined<T>> before, IReadOnlyList<Joined<T>> after) =>
        before.Count != after.Count
        || !before.Select(Text).SequenceEqual(after.Select(Text))
        || !before.Select(one => one.Name).SequenceEqual(after.Select(one => one.Name));

    private static string Text<T>(Joined<T> one) => JsonSerializer.Serialize(one.Own, McpTypeInfo.Of<T>());
}

/// <summary>The other servers that a request sees: all of its profile, or one under its own names.</summary>
internal readonly struct ServerView(JoinedServers servers, ToolSet? tools)
{
    /// <summary>The request is for one server (<c>/mcp/{server}</c>), which has its own names then.</summary>
    public bool IsOfOne => tools?.Server is not null;

    public IEnumerable<JoinedServer> Servers
    {
        get
        {
            var set = tools;
            return set is null
                ? servers.Current
                : servers.Current.Where(server => set.Server is { } one ? server.Name == one : set.Takes(server.Name));
        }
    }

    public (JoinedServer Server, Prompt Prompt)? FindPrompt(string name)
    {
        foreach (var server in Servers)
        {
            foreach (var prompt in server.Prompts)
            {
                if ((IsOfOne ? prompt.Own.Name : prompt.Name) == name)
                {
                    return (server, prompt.Own);
                }
            }
        }

        return null;
    }

    /// <summary>The server and its own URI; it may know more resources than it lists.</summary>
    public (JoinedServer Server, string Uri)? FindResource(string uri)
    {
        foreach (var server in Servers)
        {
            if ((IsOfOne ? uri : server.OwnUri(uri)) is { } own)
            {
                return (server, own);
            }
        }

        return null;
    }

    /// <summary>The server that has this template, or this resource, and its own URI of it.</summary>
    public (JoinedServer Server, string Uri)? FindTemplate(string uri)
    {
        foreach (var server in Servers)
        {
            foreach (var template in server.Templates)
            {
                if ((IsOfOne ? template.Own.UriTemplate : template.Name) == uri)
                {
                    return (server, template.Own.UriTemplate);
                }
            }
        }

        return null;
    }
}
