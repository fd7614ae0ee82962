using System.Text.RegularExpressions;

namespace MinimalMcp.Hub;

/// <summary>
/// The arguments of <c>docker run</c>, read as Docker reads them (pflag). Options are those of a closed list, and they
/// are written out anew for Docker: what was not understood here never gets there.
/// </summary>
internal sealed partial record DockerRun(
    IReadOnlyList<(string Option, string? Value)> Options,
    string Image,
    IReadOnlyList<string> Command
)
{
    /// <summary>The program whose arguments these are.</summary>
    public const string Program = "docker";

    private const string Files = "it reads or writes files of this machine",
        Rights = "it gives the container rights on this machine",
        Attached = "the container must stay attached, because MCP goes over its standard input and output",
        Ours = "this server sets it",
        Ports = "a server over stdio needs no port of this machine";

    private static readonly Dictionary<char, string> Short = new()
    {
        ['c'] = "cpu-shares",
        ['e'] = "env",
        ['h'] = "hostname",
        ['i'] = "interactive",
        ['m'] = "memory",
        ['q'] = "quiet",
        ['u'] = "user",
        ['v'] = "volume",
        ['w'] = "workdir",
        // refused, with their reason
        ['a'] = "attach",
        ['d'] = "detach",
        ['l'] = "label",
        ['p'] = "publish",
        ['P'] = "publish-all",
        ['t'] = "tty",
    };

    private static readonly string[] Flags = ["interactive", "rm", "init", "quiet", "read-only", "no-healthcheck"];

    // What a value may be: null, or the end of a sentence about it.
    private static readonly Dictionary<string, Func<string, string?>> Values = new()
    {
        ["env"] = value => Variable().IsMatch(value) ? null : "must be NAME=value or NAME",
        ["volume"] = Volume,
        ["mount"] = Mount,
        ["network"] = Network,
        ["entrypoint"] = value => IsShell(value) ? "must not be a shell" : null,
        ["security-opt"] = value =>
            value is "no-new-privileges" or "no-new-privileges=true" or "no-new-privileges:true"
                ? null
                : "may only be no-new-privileges",
        ["tmpfs"] = Folder,
        ["workdir"] = Folder,
        ["add-host"] = Plain,
        ["cap-drop"] = Plain,
        ["cpu-shares"] = Plain,
        ["cpus"] = Plain,
        ["cpuset-cpus"] = Plain,
        ["dns"] = Plain,
        ["dns-option"] = Plain,
        ["dns-search"] = Plain,
        ["hostname"] = Plain,
        ["memory"] = Plain,
        ["memory-reservation"] = Plain,
        ["memory-swap"] = Plain,
        ["pids-limit"] = Plain,
        ["platform"] = Plain,
        ["pull"] = Plain,
        ["shm-size"] = Plain,
        ["ulimit"] = Plain,
        ["user"] = Plain,
    };

    private static readonly Dictionary<string, string> Refused = new()
    {
        ["privileged"] = Rights,
        ["pid"] = Rights,
        ["ipc"] = Rights,
        ["uts"] = Rights,
        ["userns"] = Rights,
        ["cgroupns"] = Rights,
        ["cgroup-parent"] = Rights,
        ["cap-add"] = Rights,
        ["device"] = Rights,
        ["device-cgroup-rule"] = Rights,
        ["gpus"] = Rights,
        ["group-add"] = Rights,
        ["runtime"] = Rights,
        ["sysctl"] = Rights,
        ["use-api-socket"] = Rights,
        ["volumes-from"] = Files,
        ["volume-driver"] = Files,
        ["env-file"] = Files,
        ["label-file"] = Files,
        ["cidfile"] = Files,
        ["detach"] = Attached,
        ["detach-keys"] = Attached,
        ["tty"] = Attached,
        ["attach"] = Attached,
        ["sig-proxy"] = Attached,
        ["name"] = Ours,
        ["label"] = Ours,
        ["restart"] = Ours,
        ["log-driver"] = Ours,
        ["log-opt"] = Ours,
        ["publish"] = Ports,
        ["publish-all"] = Ports,
    };

    private static string Allowed =>
        string.Join(", ", Flags.Concat(Values.Keys).Order(StringComparer.Ordinal).Select(option => "--" + option));

    /// <summary>Why the arguments are refused; null when they are not.</summary>
    public static string? Problem(IReadOnlyList<string> args)
    {
        try
        {
            Parse(args);
            return null;
        }
        catch (FormatException wrong)
        {
            return wrong.Message;
        }
    }

    /// <exception cref="FormatException">They are refused; the message is a sentence for the caller.</exception>
    public static DockerRun Parse(IReadOnlyList<string> args)
    {
        if (args is not ["run", ..])
        {
            throw new FormatException("args of docker must begin with run.");
        }

        List<(string Option, string? Value)> options = [];
        var at = 1;
        for (; at < args.Count && args[at] is ['-', _, ..] option; at++)
        {
            if (option == "--")
            {
                at++;
                break;
            }

            options.AddRange(option.StartsWith("--", StringComparison.Ordinal) ? [Long(option)] : Cluster(option));
        }

        var image = args.ElementAtOrDefault(at) ?? "";
        if (!Reference().IsMatch(image))
        {
            throw new FormatException(
                "args of docker run must name an image, such as mcp/fetch:1.2, after the options."
            );
        }

        if (!options.Any(option => option.Option == "interactive"))
        {
            throw new FormatException(
                "args of docker run must have -i: MCP goes over the container's standard input and output."
            );
        }

        string[] command = [.. args.Skip(at + 1)];
        return command is [var first, ..] && IsShell(first)
            ? throw new FormatException($"docker run must not start {first}. Name the image of the MCP server.")
            : new(options, image, command);

        string Next(string option) =>
            ++at < args.Count ? args[at] : throw new FormatException($"{option} of docker run needs a value.");

        (string, string?) Long(string option)
        {
            var equals = option.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? option[2..] : option[2..equals];
            var value = equals < 0 ? null : option[(equals + 1)..];
            return Flags.Contains(name) ? Flag(name, value)
                : Values.ContainsKey(name) ? Checked(name, value ?? Next("--" + name))
                : throw NotAllowed("--" + name, name);
        }

        // -i, -iq, -eNAME=value, -e=NAME=value, -ie NAME=value
        IEnumerable<(string, string?)> Cluster(string option)
        {
            for (var i = 1; i < option.Length; i++)
            {
                var name = Short.GetValueOrDefault(option[i], "");
                var rest = option[(i + 1)..];
                var value = rest.StartsWith('=') ? rest[1..] : null;
                if (Flags.Contains(name))
                {
                    yield return Flag(name, value);
                    if (value is not null)
                    {
                        yield break;
                    }
                }
                else if (Values.ContainsKey(name))
                {
                    yield return Checked(name, value ?? (rest.Length > 0 ? rest : Next($"-{option[i]}")));
                    yield break;
                }
                else
                {
                    throw NotAllowed($"-{option[i]}", name);
                }
            }
        }
    }

    /// <summary>With the limits of the hub, where the arguments have none of that kind.</summary>
    public DockerRun Limited(HubOptions limits)
    {
        List<(string, string?)> options = [.. Options];
        if (limits.MaxMemoryMb is { } memory && !Options.Any(option => option.Option == "memory"))
        {
            options.Add(("memory", $"{memory}m"));
        }

        if (
            limits.MaxOpenFiles is { } files
            && !Options.Any(option =>
                option is ("ulimit", { } value) && value.StartsWith("nofile=", StringComparison.Ordinal)
            )
        )
        {
            options.Add(("ulimit", $"nofile={files}"));
        }

        return this with
        {
            Options = options,
        };
    }

    /// <summary>The arguments with which Docker is started: the container is ours to find and to remove.</summary>
    public IReadOnlyList<string> ToArguments(string name, IEnumerable<KeyValuePair<string, string>> labels) =>
        [
            "run",
            "--rm",
            $"--name={name}",
            .. labels.Select(label => $"--label={label.Key}={label.Value}"),
            // Docker would keep every message of the connection in a file without a limit.
            "--log-driver=none",
            .. Options
                .Where(option => option.Option != "rm")
                .Select(option => option.Value is null ? $"--{option.Option}" : $"--{option.Option}={option.Value}"),
            Image,
            .. Command,
        ];

    private static (string, string?) Flag(string name, string? value) =>
        value is null or "true"
            ? (name, null)
            : throw new FormatException($"--{name} of docker run takes no value. Leave it out to disable it.");

    private static (string, string?) Checked(string name, string value) =>
        Values[name](value) is { } problem
            ? throw new FormatException($"The value of --{name} of docker run {problem}.")
            : (name, value);

    private static FormatException NotAllowed(string option, string name) =>
        new(
            Refused.TryGetValue(name, out var reason)
                ? $"The option {Shown(option)} of docker run is not allowed: {reason}."
                : $"The option {Shown(option)} of docker run is not allowed. Only these are: {Allowed}."
        );

    // A volume of Docker, or an anonymous one; what has a slash or a dot in front is a folder of this machine.
    private static string? Volume(string value) =>
        value.Split(':') switch
        {
            [var folder] => Folder(folder),
            [var volume, var folder] => VolumeName(volume) ?? Folder(folder),
            [var volume, var folder, "ro" or "rw" or "nocopy"] => VolumeName(volume) ?? Folder(folder),
            _ => "must be VOLUME:/folder or VOLUME:/folder:ro",
        };

    // volume-opt and volume-driver can mount a folder of this machine as a volume.
    private static string? Mount(string value)
    {
        if (value.Contains('"', StringComparison.Ordinal))
        {
            return "must not have quotes";
        }

        string? type = null;
        foreach (var part in value.Split(','))
        {
            var (key, given) = part.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at
                ? (part[..at], part[(at + 1)..])
                : (part, "");
            var problem = key switch
            {
                "type" => given is "volume" or "tmpfs" ? null : "must have type=volume or type=tmpfs",
                "source" or "src" => VolumeName(given),
                "target" or "dst" or "destination" => Folder(given),
                "readonly" or "ro" => given is "" or "true" ? null : "has a value for readonly",
                "tmpfs-size" or "tmpfs-mode" => Plain(given),
                _ => $"has the part {Shown(key)}, which is not allowed",
            };
            if (problem is not null)
            {
                return problem;
            }

            type = key == "type" ? given : type;
        }

        return type is null ? "must have type=volume or type=tmpfs" : null;
    }

    // "name=host" is another way to write it, and so is the id of that network.
    private static string? Network(string value) =>
        value.Equals("host", StringComparison.OrdinalIgnoreCase) ? "must not be the network of this machine"
        : !Named().IsMatch(value) ? "must be the name of a network, and not the network of another container"
        : value.All(char.IsAsciiHexDigit) ? "must be the name of a network, and not its id"
        : null;

    private static string? VolumeName(string name) =>
        Named().IsMatch(name) ? null : "must name a volume of Docker, not a folder of this machine";

    private static string? Folder(string value) =>
        value.StartsWith('/') ? null : "must be a folder in the container, beginning with /";

    private static string? Plain(string value) => Word().IsMatch(value) ? null : "has other characters than expected";

    private static bool IsShell(string program) => CommandCheck.IsShell(program);

    private static string Shown(string text) => text.Length > 40 ? text[..40] + "…" : text;

    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9_.-]+\z")]
    private static partial Regex Named();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_.-]*(=|\z)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\A-?[A-Za-z0-9\[][A-Za-z0-9_.:=/,\[\]-]*\z")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9._/:@-]{0,254}\z")]
    private static partial Regex Reference();
}
