using System.Net.Sockets;
using MinimalMcp.Engine;
using MinimalMcp.Load;

namespace MinimalMcp.Tests;

/// <summary>
/// What a test needs besides .NET. Where it is missing the test is skipped, and says by name what to install;
/// scripts/test installs all of it, and CI accepts no skipped test.
/// </summary>
internal static class Needs
{
    /// <summary>The path of a program that is on the PATH, under any of the names it goes by.</summary>
    public static string Program(string install, params string[] names)
    {
        var found = names.Select(Installed.Program).FirstOrDefault(path => path is not null);
        Assert.SkipWhen(found is null, $"{names[0]} is missing: {install}");
        return found!;
    }

    /// <summary>The scripts, and the README's commands.</summary>
    public static string Bash() => Program("it comes with Linux and macOS, and on Windows with Git or WSL", "bash");

    /// <summary>With the package requests, which the guides' own client uses.</summary>
    public static string Python() => Program("install Python 3, and the package requests", "python3");

    /// <summary>What `npm ci` puts into tests/Clients.</summary>
    public static string NodePackage(string path)
    {
        var file = Path.Combine(Clients.ClientProcess.Folder, "node_modules", path);
        Assert.SkipUnless(
            File.Exists(file),
            "the npm packages of tests/Clients are missing: install Node.js, and run npm ci --prefix tests/Clients"
        );
        return file;
    }

    /// <summary>For <see cref="Storage.PostgresServer"/>.</summary>
    public static void Postgres() =>
        Assert.SkipWhen(Installed.Postgres() is null, $"PostgreSQL is missing: install {Installed.WantedPostgres}");

    public static void Nginx() =>
        Assert.SkipWhen(Installed.Nginx() is null, $"nginx is missing: install {Installed.WantedNginx}");

    /// <summary>A reverse proxy: nginx, caddy, haproxy or apache.</summary>
    public static string Proxy(string kind)
    {
        var found = kind switch
        {
            "nginx" => Installed.Nginx(),
            "apache" => Installed.Server("apache2"),
            _ => Installed.Server(kind),
        };
        Assert.SkipWhen(
            found is null,
            $"{kind} is missing: install it (Debian: apt-get install nginx-light caddy haproxy apache2-bin)"
        );
        return found!;
    }

    /// <summary>A container engine that answers.</summary>
    public static EngineAddress Docker()
    {
        var found = EngineAddress.OfThisMachine().FirstOrDefault(Answers);
        Assert.SkipWhen(
            found is null,
            "no container engine answers: start Docker, or set DOCKER_HOST to its socket (unix:///...); as root, "
                + "scripts/test starts one by itself"
        );
        return found!;
    }

    private static bool Answers(EngineAddress address)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // the tests' scripts speak to sockets only
            socket.Connect(new UnixDomainSocketEndPoint(address.Socket ?? "/nowhere"));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
