using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Reflection.Emit;

namespace MinimalMcp.Load;

/// <summary>
/// Gives a server as many tools as a measurement asks for. They are methods with the SDK's attributes, written when the
/// server starts, and are registered as every tool is: what is measured is the server's own way with them.
/// </summary>
internal static class MoreTools
{
    public const string Variable = "LOAD_TOOLS",
        Arguments = """{"query":"milk","limit":5}""";

    public static string Name(int number) => $"load_tool_{number:0000}";

    /// <summary>The host tells of itself before it is built; Mvc.Testing reaches it the same way.</summary>
    public static void AddToHost(int count) =>
        DiagnosticListener.AllListeners.Subscribe(
            new Observer<DiagnosticListener>(listener =>
            {
                if (listener.Name == "Microsoft.Extensions.Hosting")
                {
                    listener.Subscribe(
                        new Observer<KeyValuePair<string, object?>>(happened =>
                        {
                            if (happened is { Key: "HostBuilding", Value: IHostBuilder host })
                            {
                                host.ConfigureServices((_, services) => Add(services, count));
                            }
                        })
                    );
                }
            })
        );

    private static void Add(IServiceCollection services, int count)
    {
        // By name: this program knows nothing of the server that it measures.
        var registration = Assembly.GetEntryAssembly()!.GetTypes().Single(type => type.Name == "ToolType");
        var attribute = Type.GetType(
            "ModelContextProtocol.Server.McpServerToolAttribute, ModelContextProtocol.Core",
            throwOnError: true
        )!;
        services.AddSingleton(registration, Activator.CreateInstance(registration, Write(count, attribute))!);
    }

    private static Type Write(int count, Type toolAttribute)
    {
        var module = AssemblyBuilder
            .DefineDynamicAssembly(new("MoreTools"), AssemblyBuilderAccess.Run)
            .DefineDynamicModule("MoreTools");
        var type = module.DefineType(
            "MoreTools.Load.LoadTools",
            TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed
        );
        var describe = typeof(DescriptionAttribute).GetConstructor([typeof(string)])!;
        for (var number = 1; number <= count; number++)
        {
            var method = type.DefineMethod(
                Name(number),
                MethodAttributes.Public | MethodAttributes.Static,
                typeof(string),
                [typeof(string), typeof(int)]
            );
            method.SetCustomAttribute(
                new(toolAttribute.GetConstructor([])!, [], [toolAttribute.GetProperty("ReadOnly")!], [true])
            );
            method.SetCustomAttribute(
                new(
                    describe,
                    [$"Answers with what it was asked. It is there to be one of {count} tools, and is number {number}."]
                )
            );
            method
                .DefineParameter(1, ParameterAttributes.None, "query")
                .SetCustomAttribute(new(describe, ["What to answer with, for example \"milk\"."]));
            method
                .DefineParameter(2, ParameterAttributes.None, "limit")
                .SetCustomAttribute(new(describe, ["At most this many."]));
            var code = method.GetILGenerator();
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ret);
        }

        return type.CreateType();
    }

    private sealed class Observer<T>(Action<T> onNext) : IObserver<T>
    {
        public void OnCompleted() { }

        public void OnError(Exception error) { }

        public void OnNext(T value) => onNext(value);
    }
}
