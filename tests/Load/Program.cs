using System.ComponentModel;
using MinimalMcp.Load;

if (args is ["--bare", var answers, .. var rest])
{
    BareServer.Run(answers, rest);
    return 0;
}

try
{
    var options = Options.Parse(args);
    return options.Tokens ? await TokenChecks.Run(options) : options.Governed ? await Governed.Run(options) : await Bench.Run(options);
}
catch (Exception e) when (e is IOException or TimeoutException or InvalidOperationException or Win32Exception)
{
    Console.Error.WriteLine($"bench: {e.Message}");
    return 2;
}
