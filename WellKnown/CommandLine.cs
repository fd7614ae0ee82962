using MinimalMcp.Governance;

namespace MinimalMcp.WellKnown;

/// <summary>
/// Parses the command line. An unknown word or switch is an error: a server that started anyway would ignore what was
/// meant. Hand-written, since a parser package would slow every start.
/// </summary>
public static class CommandLine
{
    private static readonly (string Name, string Arguments, string Does)[] Commands =
    [
        ("health", "[--timeout SECONDS]", "Check that the server is running; exit code 0 or 1."),
        ("backup", "FILE", "Write a copy of the store, also while the server runs."),
        ("restore", "FILE", "Replace the store with a backup."),
        ("verify-audit", "", "Verify the hash chain of the audit log."),
        ("export-openapi", "[--family NAME] [FILE] [3.0|3.1]", "Write the OpenAPI document."),
        ("hash-password", "", "Read a password from standard input, and print its hash."),
    ];

    private static readonly (string Name, string Argument, string Does)[] Switches =
    [
        ("--stdio", "", "Serve MCP on standard input and output, for desktop clients."),
        (
            "--mode",
            "all|sse|rest|stdio",
            "Serve everything, MCP alone, plain HTTP alone, or standard input and output."
        ),
        ("--urls", "URLS", "Listen on these URLs, for example http://127.0.0.1:3001."),
        (
            "--Section:Key",
            "VALUE",
            "Set any setting, for example --Auth:Mode api-key. Set keys in the environment or a file instead."
        ),
        ("--config", "FILE", "Read settings from this JSON file too."),
        ("--environment", "NAME", "Name the host environment: Production (the default), Development."),
        ("--contentRoot", "FOLDER", "Read settings from this folder instead of the program's."),
        ("--applicationName", "NAME", "Set the application name."),
        ("--allowedHosts", "HOSTS", "Serve these host names, separated by semicolons."),
        ("--help", "", "Show this."),
        ("--version", "", "Show the version."),
    ];

    /// <summary>
    /// Returns the exit code of help, version, health or an invalid command line; null to start the server.
    /// </summary>
    public static async Task<int?> AnswerAsync(string[] args, IConfiguration configuration)
    {
        if (args.Any(argument => argument is "--help" or "-h" or "-?" or "help"))
        {
            Console.Out.WriteLine(Help());
            return 0;
        }

        if (args.Contains("--version"))
        {
            Console.Out.WriteLine(ServerIdentity.Version);
            return 0;
        }

        if (Problem(args) is { } problem)
        {
            Console.Error.WriteLine($"{problem} Run with --help for usage.");
            return 2;
        }

        return args is ["health", ..] ? await HealthCommand.RunAsync(configuration, args) : null;
    }

    private static string? Problem(string[] args)
    {
        if (args is [var word, ..] && !word.StartsWith('-') && !IsSetting(word))
        {
            return Commands.Any(command => command.Name == word)
                ? ProblemOfSwitches(args[1..], "--timeout", "--family")
                : $"Unknown command '{Shown(word)}'.{DidYouMean(word, Commands.Select(command => command.Name))}";
        }

        return ProblemOfSwitches(args);
    }

    private static string? ProblemOfSwitches(string[] args, params string[] more)
    {
        var known = Switches.Select(known => known.Name).Concat(more).ToArray();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i].Split('=')[0];
            if (!name.StartsWith('-') || name == "-")
            {
                continue; // the value of the switch before it, a file's name, or Section:Key=value
            }

            // A host that is configured in code passes each section too, as "--Storage=".
            if (
                !IsSetting(args[i])
                && !args[i].EndsWith('=')
                && !known.Contains(name, StringComparer.OrdinalIgnoreCase)
            )
            {
                return $"Unknown switch '{Shown(name)}'.{DidYouMean(name, known)}";
            }
        }

        return null;
    }

    // --Server:Port=1, --Server:Port 1 and Server:Port=1, as ASP.NET Core reads them.
    private static bool IsSetting(string argument) =>
        argument.Split('=')[0] is var name && name.Contains(':') && !name.Contains(' ');

    private static string DidYouMean(string wrong, IEnumerable<string> known) =>
        NameSuggestions.Nearest(wrong, known, 1) is [var near] ? $" Did you mean '{near}'?" : "";

    private static string Shown(string text) => SanitizedText.Show(TextLimit.Cut(text, TextLimit.Name));

    private static string Help()
    {
        var program = typeof(CommandLine).Assembly.GetName().Name;
        var commands = Commands.Select(command => Line($"{command.Name} {command.Arguments}".TrimEnd(), command.Does));
        var switches = Switches.Select(known => Line($"{known.Name} {known.Argument}".TrimEnd(), known.Does));
        return $"""
            {program} {ServerIdentity.Version}: a server whose C# methods ChatGPT can call.

            dotnet {program}.dll [COMMAND] [SWITCHES]     Without a command the server starts.

            Commands:
            {string.Join('\n', commands)}

            Switches:
            {string.Join('\n', switches)}
            """;
    }

    private static string Line(string usage, string does) => $"  {usage, -32} {does}";
}
