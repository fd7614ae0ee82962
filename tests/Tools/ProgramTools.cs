using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MinimalMcp.Tests.Outgoing;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;

/// <summary>
/// Changes the tools of the real program when a test starts it as a process. .NET runs this before Main in a process
/// whose environment names this assembly, and a host under construction can be seen by whoever listens: that is how
/// WebApplicationFactory does it, too.
/// </summary>
internal static class StartupHook
{
    public static void Initialize() => DiagnosticListener.AllListeners.Subscribe(new Hosts());

    private sealed class Hosts : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
            {
                value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "HostBuilding", Value: IHostBuilder builder })
            {
                builder.ConfigureServices((_, services) => ProgramTools.Change(services));
            }
        }

        public void OnCompleted() { }

        public void OnError(Exception error) { }
    }
}

namespace MinimalMcp.Tests.Tools
{
    /// <summary>
    /// What to put into the environment of a process of the program, so that its tools do not depend on the families
    /// that the product has.
    /// </summary>
    internal static class ProgramTools
    {
        private const string Variable = "TEST_TOOLS",
            Upstream = "TEST_UPSTREAM";

        public static IReadOnlyDictionary<string, string> Notes => Environment("notes");

        public static IReadOnlyDictionary<string, string> None => Environment("none");

        /// <summary>The notes, and the tool that asks the system at an address.</summary>
        public static IReadOnlyDictionary<string, string> NotesAnd(string upstream) =>
            new Dictionary<string, string>(Environment("notes")) { [Upstream] = upstream };

        public static void Change(IServiceCollection services)
        {
            if (System.Environment.GetEnvironmentVariable(Variable) != "notes")
            {
                Families.TakeOut(services);
                return;
            }

            NotesTools.Alone(services);
            if (System.Environment.GetEnvironmentVariable(Upstream) is { } upstream)
            {
                services.AddSingleton<AskTools>().AddSingleton(new ToolType(typeof(AskTools)));
                services.AddHttpClient("AlphaClient", client =>
                {
                    client.BaseAddress = new(upstream);
                    client.DefaultRequestHeaders.Add("X-Api-Key", AskTools.HeaderSecret);
                });
            }
        }

        private static Dictionary<string, string> Environment(string tools) =>
            new()
            {
                ["DOTNET_STARTUP_HOOKS"] = typeof(ProgramTools).Assembly.Location,
                [Variable] = tools,
                ["MCP_AUTH_MODE"] = "none",
                ["Storage__Path"] = TestStores.New(),
            };
    }
}
