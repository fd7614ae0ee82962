using System.ComponentModel;

namespace MinimalMcp.Load;

// A class with a name: the tests look into this assembly, and have a Program of the server.
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["--bare", var answers, .. var rest])
        {
            BareServer.Run(answers, rest);
            return 0;
        }

        if (args.Any(arg => arg is "--help" or "-h"))
        {
            Console.WriteLine(Usage.Text);
            return 0;
        }

        try
        {
            var options = Options.Parse(args);
            return options.Tokens ? await TokenChecks.Run(options)
                : options.Hub ? await HubCost.RunAsync(options)
                : options.Soak is not null ? await Soak.RunAsync(options)
                : options.Growth ? await Growth.RunAsync(options)
                : await LoadTestRun.RunAsync(options);
        }
        catch (Exception e)
            when (e
                    is IOException
                        or TimeoutException
                        or InvalidOperationException
                        or Win32Exception
                        or System.Net.Sockets.SocketException
            )
        {
            await Console.Error.WriteLineAsync($"load-test: {e.Message}");
            return 2;
        }
    }
}
