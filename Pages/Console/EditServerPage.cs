using System.Globalization;
using Microsoft.Extensions.Options;
using MinimalMcp.Hub;

namespace MinimalMcp.Pages.Console;

/// <summary>Changes the definition of a server.</summary>
internal static class EditServerPage
{
    public static async Task GetAsync(HttpContext http)
    {
        var id = long.Parse((string)http.Request.RouteValues["id"]!, CultureInfo.InvariantCulture);
        var server = await http.RequestServices.GetRequiredService<ServerRegistry>().FindAsync(id, http.RequestAborted);
        if (server is null or { IsConfigured: true })
        {
            await ConsolePage.NotFoundAsync(
                http,
                server is null
                    ? "There is no such server. It may have been deleted."
                    : "This server comes from the configuration, and is changed there."
            );
            return;
        }

        var options = http.RequestServices.GetRequiredService<IOptions<HubOptions>>().Value;
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    {Html.When(server.Unreadable, () => Html.Of(
                        $"""
                        <p class="note bad">Its arguments, address and secrets cannot be decrypted, because
                          <code>SECRET_KEY</code> is another one. Enter them again.</p>
                        """
                    ))}
                    <noscript><p class="note">This page needs JavaScript.</p></noscript>
                    {ServerForm.Of(options, server)}
                    """
                )
            )
            {
                Title = $"Edit {server.Name}",
                Parent = ($"console/servers/{id}", server.Name),
                Lead = Html.Of(
                    $"""
                    A server that runs is started again with the new definition. Another command, argument, variable or
                    address is another program: its tools are approved with the change.
                    """
                ),
                Files = ["servers.js"],
            }
        );
    }
}
