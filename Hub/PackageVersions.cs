namespace MinimalMcp.Hub;

/// <summary>
/// Whether a command names the version of what it runs. Without one each start may run other code, which nobody has
/// looked at; the guide's examples have none, so it is a warning.
/// </summary>
internal static class PackageVersions
{
    private const string Package =
            "args names a package without a version, so that each start may run another one. Write NAME@1.2.3.",
        Python = "args names a package without a version, so that each start may run another one. Write NAME==1.2.3.",
        Image =
            "args names an image without a tag or digest, so that each start may run another one. Write NAME:1.2.3.";

    /// <summary>What an operator should know; empty when there is nothing.</summary>
    public static IReadOnlyList<string> Warnings(ServerDefinition server) =>
        server.Command switch
        {
            "npx" => Packages(server.Args, "-p", "--package").All(IsFixedNpm) ? [] : [Package],
            "uvx" => Packages(server.Args, "--from", "--with").All(IsFixedPython) ? [] : [Python],
            DockerRun.Program => IsFixedImage(server.Args) ? [] : [Image],
            _ => [],
        };

    // The packages that options name, else the first argument that is none.
    private static List<string> Packages(IReadOnlyList<string> args, string one, string other)
    {
        List<string> named = [];
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (arg == one || arg == other)
            {
                named.AddRange(args.Skip(++i).Take(1));
            }
            else if (arg.StartsWith(one + "=", StringComparison.Ordinal))
            {
                named.Add(arg[(one.Length + 1)..]);
            }
            else if (arg.StartsWith(other + "=", StringComparison.Ordinal))
            {
                named.Add(arg[(other.Length + 1)..]);
            }
            else if (arg is "--python")
            {
                i++;
            }
            else if (!arg.StartsWith('-'))
            {
                if (named.Count == 0)
                {
                    named.Add(arg);
                }

                break;
            }
        }

        return named;
    }

    // A folder or a file is what it is.
    private static bool IsFixedNpm(string package) =>
        package.StartsWith('.')
        || package.StartsWith('/')
        || (package.LastIndexOf('@') is > 0 and var at && IsVersion(package[(at + 1)..]));

    private static bool IsFixedPython(string package) =>
        package.StartsWith('.')
        || package.StartsWith('/')
        || package.Split(["==", "@"], 2, StringSplitOptions.TrimEntries) is [_, var version] && IsVersion(version);

    private static bool IsVersion(string version) =>
        version.Length > 0 && char.IsAsciiDigit(version[0]) && version.Contains('.', StringComparison.Ordinal);

    private static bool IsFixedImage(IReadOnlyList<string> args)
    {
        if (DockerRun.Problem(args) is not null)
        {
            return true; // another rule refuses it
        }

        var image = DockerRun.Parse(args).Image;
        var name = image[(image.LastIndexOf('/') + 1)..];
        return image.Contains('@', StringComparison.Ordinal)
            || (name.Split(':') is [_, var tag] && !tag.Equals("latest", StringComparison.OrdinalIgnoreCase));
    }
}
