using System.Text.RegularExpressions;

namespace MinimalMcp.Hub;

/// <summary>
/// Whether a command may be registered: a program of the list, without options that run text as a program, and without
/// variables that load code into it. Returns a sentence when not.
/// </summary>
internal static partial class CommandCheck
{
    private const int MaxArgs = 64,
        MaxArg = 4096,
        MaxVariables = 64,
        MaxValue = 16_384;

    private static readonly string[] Shells =
    [
        "sh",
        "bash",
        "dash",
        "zsh",
        "ksh",
        "fish",
        "ash",
        "busybox",
        "env",
        "cmd",
        "cmd.exe",
        "powershell",
        "pwsh",
    ];

    private static readonly string[] Interpreters =
    [
        "node",
        "python",
        "python3",
        "perl",
        "ruby",
        "php",
        "deno",
        "bun",
        "tsx",
        "ts-node",
        "npx",
        "npm",
        "uvx",
        "uv",
    ];

    // Options before the script or package. Others are refused: an unknown one could run text as a program.
    private static readonly Dictionary<string, (string[] Flags, string[] WithValue)> Options = new()
    {
        ["node"] = (["--no-warnings", "--no-deprecation", "--enable-source-maps", "--use-system-ca"], []),
        ["python"] = (["-u", "-B", "-E", "-s", "-I", "-O", "-OO", "-q", "-m"], []),
        ["npx"] = (
            ["-y", "--yes", "-q", "--quiet", "--prefer-offline", "--prefer-online", "--offline", "--no", "--"],
            ["-p", "--package"]
        ),
        ["uvx"] = (
            ["-q", "--quiet", "--offline", "--isolated", "--no-cache", "--refresh", "--"],
            ["--from", "--with", "-p", "--python"]
        ),
    };

    private static readonly string[] Harmless =
    [
        "PYTHONUNBUFFERED",
        "PYTHONUTF8",
        "PYTHONIOENCODING",
        "PYTHONDONTWRITEBYTECODE",
        "NODE_ENV",
        "NPM_CONFIG_REGISTRY",
        "NPM_CONFIG_CACHE",
        "NPM_CONFIG_LOGLEVEL",
        "NPM_CONFIG_UPDATE_NOTIFIER",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_BASE_DIR", // where git-mcp-server may read
    ];

    private static readonly string[] Prefixes =
    [
        "LD_",
        "DYLD_",
        "NODE_",
        "PYTHON",
        "NPM_CONFIG_",
        "PERL5",
        "RUBY",
        "BASH_",
        "DOTNET_",
        "CORECLR_",
        "COR_",
        "COMPLUS_",
        "GIT_",
        "DOCKER_",
        "MALLOC_",
        "GCONV_",
        "JAVA_",
        "JDK_",
        "_JAVA_",
    ];

    private static readonly string[] Variables =
    [
        "PATH",
        "PATHEXT",
        "COMSPEC",
        "ENV",
        "SHELL",
        "SHELLOPTS",
        "BASHOPTS",
        "IFS",
        "PS4",
        "PROMPT_COMMAND",
        "HOME",
        "USERPROFILE",
        "GLIBC_TUNABLES",
    ];

    public static string? Problem(HubOptions options, string command, IReadOnlyList<string> args)
    {
        if (!Bare().IsMatch(command) || !options.Allows(command))
        {
            return $"command must be one of {options.Commands} (Hub:Commands), without a folder or arguments.";
        }

        if (args.Count > MaxArgs)
        {
            return $"args has {args.Count} entries; the limit is {MaxArgs}.";
        }

        if (args.FirstOrDefault(arg => arg.Length > MaxArg || arg.Any(char.IsControl)) is not null)
        {
            return $"An entry of args is longer than {MaxArg} characters or has a control character, such as a line "
                + "break. Remove it.";
        }

        return command switch
        {
            DockerRun.Program => DockerRun.Problem(args),
            "dotnet" => args is [var first, ..] && !first.StartsWith('-') && first is not ("exec" or "fsi" or "script")
                ? null
                : "args of dotnet must begin with a .dll file or a command such as run or tool.",
            "python3" => Launcher("python", command, args),
            _ when Options.ContainsKey(command) => Launcher(command, command, args),
            _ => null,
        };
    }

    public static string? Problem(IReadOnlyDictionary<string, string> env)
    {
        if (env.Count > MaxVariables)
        {
            return $"env has {env.Count} variables; the limit is {MaxVariables}.";
        }

        foreach (var (name, value) in env)
        {
            if (!VariableName().IsMatch(name))
            {
                return "A name in env is not made of letters, digits and _, or is longer than 100 characters.";
            }

            var upper = name.ToUpperInvariant();
            if (
                !Harmless.Contains(upper)
                && (
                    Variables.Contains(upper)
                    || Prefixes.Any(start => upper.StartsWith(start, StringComparison.Ordinal))
                )
            )
            {
                return $"env must not set {name}: it could load other code into the program. Remove it.";
            }

            if (value.Length > MaxValue || value.Contains('\0', StringComparison.Ordinal))
            {
                return $"The value of {name} in env is longer than {MaxValue} characters or has a NUL character.";
            }
        }

        return null;
    }

    /// <summary>Whether a program runs what it is told as commands.</summary>
    public static bool IsShell(string program) => Shells.Contains(Program(program), StringComparer.OrdinalIgnoreCase);

    private static string? Launcher(string kind, string command, IReadOnlyList<string> args)
    {
        var (flags, withValue) = Options[kind];
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (!arg.StartsWith('-') && arg.Length > 0)
            {
                // Everything after it belongs to the script or package.
                return kind is "npx" or "uvx" && (IsShell(arg) || Interpreters.Contains(Program(arg)))
                    ? $"{command} must not start {arg}. Name the package of the MCP server."
                    : null;
            }

            if (arg is "-m" && kind == "python")
            {
                return i + 1 < args.Count && ModuleName().IsMatch(args[i + 1])
                    ? null
                    : "-m of python must be followed by the name of a module.";
            }

            if (withValue.Contains(arg) && i + 1 < args.Count && !args[i + 1].StartsWith('-'))
            {
                i++;
            }
            else if (
                !flags.Contains(arg)
                && !withValue.Any(option =>
                    option.StartsWith("--", StringComparison.Ordinal)
                    && arg.StartsWith(option + "=", StringComparison.Ordinal)
                )
            )
            {
                return $"The option {Shown(arg)} of {command} is not allowed: before the script or package only "
                    + $"{string.Join(", ", flags.Concat(withValue))} are.";
            }
        }

        return $"args of {command} must name a script, a module or a package.";
    }

    // "/usr/bin/node" and "node@22" are node.
    private static string Program(string arg) =>
        arg[(arg.LastIndexOfAny(['/', '\\']) + 1)..] is var name && name.IndexOf('@') is > 0 and var at
            ? name[..at]
            : arg[(arg.LastIndexOfAny(['/', '\\']) + 1)..];

    private static string Shown(string arg) => arg.Length > 20 ? arg[..20] + "…" : arg;

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Bare();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]{0,99}\z")]
    private static partial Regex VariableName();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_.]{0,199}\z")]
    private static partial Regex ModuleName();
}
