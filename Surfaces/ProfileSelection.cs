using MinimalMcp.Auth;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>
/// Selects the tools of a request by <c>/mcp/{profile}</c>, <c>?profile=</c>, <c>?family=</c> and
/// <c>?readonly=true</c>, and lists those that its caller may call.
/// </summary>
internal static class ProfileSelection
{
    /// <summary>The selected tools; null after responding that the profile does not exist.</summary>
    public static async Task<ToolSet?> ToolsAsync(HttpContext http)
    {
        var profiles = http.RequestServices.GetRequiredService<ToolProfiles>();
        var tools = http.RequestServices.GetRequiredService<ToolRegistry>().Current.For(http.Request, profiles);
        if (tools is null)
        {
            await Results
                .Problem(
                    statusCode: 404,
                    title: "Unknown profile",
                    detail: $"Available profiles: {string.Join(", ", profiles.Names)}."
                )
                .ExecuteAsync(http);
        }

        return tools;
    }

    /// <summary>The selected tools; null when the profile does not exist.</summary>
    public static ToolSet? For(this ToolSet tools, HttpRequest request, ToolProfiles profiles)
    {
        var name = request.RouteValues.Count == 0 ? null : request.RouteValues["profile"] as string;
        // By path another server is itself; by ?profile= it is a part of this one.
        if (name is not null && profiles.Server(name) is { } server)
        {
            (tools, name) = (tools.Of(server), null);
            if (!request.QueryString.HasValue)
            {
                return tools.ShownTo(request);
            }
        }

        if (name is null && !request.QueryString.HasValue)
        {
            return tools.ShownTo(request);
        }

        var query = request.Query;
        name ??= tools.Server is null ? query["profile"].FirstOrDefault() : null;
        if (name is not null)
        {
            if (profiles.Find(name) is not { } profile)
            {
                return null;
            }

            tools = tools.Narrow(profile);
        }

        return tools
            .Narrow(
                new ToolProfile
                {
                    Families = query["family"]
                        .FirstOrDefault()
                        ?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                        ?? [],
                    ReadOnly = query["readonly"].FirstOrDefault() is "true" or "1",
                }
            )
            .ShownTo(request);
    }

    // A guest also sees the tools that signing in would allow, so that a client knows to offer it.
    private static ToolSet ShownTo(this ToolSet tools, HttpRequest request) =>
        Caller.From(request.HttpContext.User) is { IsGuest: false } caller ? tools.Show(caller.Level) : tools;
}
