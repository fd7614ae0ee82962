using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>
/// Registers the servers of a file in the form of Claude and VS Code that an operator pastes: all of them, or none.
/// </summary>
internal static class McpJsonRoutes
{
    private const int MostServers = 50;

    public static async Task<object> ImportAsync(HttpContext http)
    {
        var options = http.RequestServices.GetRequiredService<IOptions<HubOptions>>().Value;
        var registry = http.RequestServices.GetRequiredService<ServerRegistry>();
        var servers = Read(await ServerBody.ReadBytesAsync(http), options);
        HubAudit.Describe(http, "servers", string.Join(", ", servers.Select(server => server.Name)));
        var taken = (await registry.ListAsync(http.RequestAborted)).Select(server => server.Name).ToHashSet();
        foreach (var server in servers)
        {
            HubRoutes.Check(http, server);
            HubRoutes.CheckName(http, server);
            if (!taken.Add(server.Name))
            {
                throw Wrong($"A server named '{server.Name}' is registered already, or twice in the file.");
            }
        }

        List<object> created = [];
        try
        {
            foreach (var server in servers)
            {
                created.Add(HubRoutes.Shown(http, await registry.CreateAsync(server, http.RequestAborted)));
            }
        }
        catch (ServerRefusedException refused) when (created.Count > 0)
        {
            var names = string.Join(", ", servers.Take(created.Count).Select(server => server.Name));
            throw new ServerRefusedException(refused.Status, $"{refused.Message} Registered before that: {names}.");
        }

        return new { servers = created };
    }

    // Placeholders are refused: the environment of this server is not for whoever may register a server.
    private static ServerDefinition[] Read(byte[] file, HubOptions options)
    {
        try
        {
            var entries = McpJson.Parse(file, fill: _ => null);
            return entries.Count is 0 or > MostServers
                ? throw Wrong($"The file must have 1 to {MostServers} servers; it has {entries.Count}.")
                :
                [
                    .. entries.Select(entry =>
                    {
                        var server = Named(entry.Name, () => entry.Server.ToDefinition(entry.Name, options));
                        return server with { IsConfigured = false, Wanted = server.AutoRestart && server.Wanted };
                    }),
                ];
        }
        catch (StartupException wrong)
        {
            throw Wrong($"The file is not accepted: {wrong.Message}");
        }
    }

    private static ServerDefinition Named(string name, Func<ServerDefinition> read)
    {
        try
        {
            return read();
        }
        catch (StartupException wrong)
        {
            throw new StartupException($"server '{ConfiguredServer.NameOf(name)}': {wrong.Message}", wrong);
        }
    }

    private static ServerRefusedException Wrong(string why) => new(StatusCodes.Status422UnprocessableEntity, why);
}
