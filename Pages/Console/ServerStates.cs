using MinimalMcp.Hub;

namespace MinimalMcp.Pages.Console;

/// <summary>How a server's state, command and buttons look, on the page of all servers and on its own.</summary>
internal static class ServerStates
{
    private const int MaxCommand = 300;

    public static Html State(ServerState state) =>
        state.Status switch
        {
            ServerStatus.Active => ConsoleTable.State("good", "Active"),
            ServerStatus.Starting when state.Reason is not null => ConsoleTable.State("busy", "Restarting"),
            ServerStatus.Starting => ConsoleTable.State("busy", "Starting"),
            ServerStatus.Stopping => ConsoleTable.State("busy", "Stopping"),
            ServerStatus.NeedsSignIn => ConsoleTable.State("warn", "Needs sign-in"),
            ServerStatus.Error => ConsoleTable.State("bad", "Error"),
            _ => ConsoleTable.State("idle", "Stopped"),
        };

    /// <summary>The command with its arguments, or the address.</summary>
    public static string Target(ServerDefinition server)
    {
        var target =
            server.Unreadable ? "(cannot be decrypted)"
            : server.Address is { } address ? address.AbsoluteUri
            : string.Join(' ', [server.Command, .. server.Args]);
        return ConsoleTable.Short(target, MaxCommand);
    }

    public static string Uptime(ServerState state, TimeProvider time) =>
        state.ActiveSince is { } since ? ConsoleTable.Duration(time.GetUtcNow() - since) : "–";

    /// <summary>The buttons that make sense in that state.</summary>
    public static Html Buttons(ServerDefinition server, ServerState state, string root) =>
        Html.Of(
            $"""
            {Html.When(state.Status is ServerStatus.NeedsSignIn, () => Html.Of(
                $"""
                <a class="button" href="{root}api/v1/servers/{server.Id}/sign-in"
                  aria-label="Sign in at {server.Name}">Sign in</a>
                """
            ))}
            {(
                state.Status is ServerStatus.Inactive or ServerStatus.Error
                    ? Button(server, "start", "Start", "started", "")
                    : Html.Of(
                        $"""
                        {Button(server, "stop", "Stop", "stopped", "plain")}
                        {Button(server, "restart", "Restart", "restarted", "plain")}
                        """
                    )
            )}
            """
        );

    private static Html Button(ServerDefinition server, string action, string word, string done, string of) =>
        Html.Of(
            $"""
            <button type="button" class="{of}" data-path="api/v1/servers/{server.Id}/{action}"
              data-done="Server {server.Name} was {done}." aria-label="{word} {server.Name}">{word}</button>
            """
        );
}
