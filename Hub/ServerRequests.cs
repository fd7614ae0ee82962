using System.Security.Claims;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>Requests to a server through the connection that it has now, or the caller has to it.</summary>
internal sealed class ServerRequests(ServerDefinition server, Supervisor supervisor, TimeSpan timeout) : IServerRequests
{
    // Base64 and JSON cannot be truncated.
    private const int MaxCharacters = 4 << 20;

    public async ValueTask<GetPromptResult> GetPromptAsync(
        GetPromptRequestParams parameters,
        ClaimsPrincipal? user,
        CancellationToken cancellationToken
    )
    {
        var result = await AskAsync(
            "prompts/get",
            user,
            open => open.GetPromptAsync(parameters, timeout, cancellationToken),
            cancellationToken
        );
        result.Meta = null;
        RequireSize("prompt", result.Messages.Sum(message => SizeOf(message.Content)));
        return result;
    }

    public async ValueTask<ReadResourceResult> ReadAsync(
        string uri,
        ClaimsPrincipal? user,
        CancellationToken cancellationToken
    )
    {
        var result = await AskAsync(
            "resources/read",
            user,
            open => open.ReadAsync(uri, timeout, cancellationToken),
            cancellationToken
        );
        RequireSize("resource", result.Contents.Sum(SizeOf));
        // Ours says how long clients may keep it.
        return new() { Contents = result.Contents };
    }

    public async ValueTask<CompleteResult> CompleteAsync(
        CompleteRequestParams parameters,
        ClaimsPrincipal? user,
        CancellationToken cancellationToken
    )
    {
        var result = await AskAsync(
            "completion/complete",
            user,
            open => open.CompleteAsync(parameters, timeout, cancellationToken),
            cancellationToken
        );
        // "Completion responses are limited to 100 values" (MCP, server/utilities/completion).
        return new()
        {
            Completion = new()
            {
                Values = [.. result.Completion.Values.Take(100)],
                Total = result.Completion.Total,
                HasMore = result.Completion.Values.Count > 100 ? true : result.Completion.HasMore,
            },
        };
    }

    private async ValueTask<T> AskAsync<T>(
        string method,
        ClaimsPrincipal? user,
        Func<UpstreamConnection, ValueTask<T>> ask,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await supervisor.UseAsync(server, user, ask, cancellationToken);
        }
        catch (McpProtocolException refused)
        {
            throw new McpProtocolException(
                $"{server.Name} refused {method}: {refused.Message}",
                refused,
                refused.ErrorCode
            );
        }
    }

    private void RequireSize(string what, long size)
    {
        if (size > MaxCharacters)
        {
            throw new McpException(
                $"The {what} of {server.Name} has {size} characters; at most {MaxCharacters} are passed on. Ask for a "
                    + "smaller one."
            );
        }
    }

    private static long SizeOf(ContentBlock block) =>
        block switch
        {
            TextContentBlock text => text.Text.Length,
            ImageContentBlock image => image.Data.Length,
            AudioContentBlock audio => audio.Data.Length,
            EmbeddedResourceBlock { Resource: { } resource } => SizeOf(resource),
            _ => 0,
        };

    private static long SizeOf(ResourceContents contents) =>
        contents switch
        {
            TextResourceContents text => text.Text.Length,
            BlobResourceContents blob => blob.Blob.Length,
            _ => 0,
        };
}
