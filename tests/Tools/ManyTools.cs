using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools;

/// <summary>More tools than a GPT Action takes operations.</summary>
public sealed class ManyTools
{
    public static void AddTo(IServiceCollection services) => services.AddSingleton(new ToolType(typeof(ManyTools)));

    [McpServerTool(ReadOnly = true)]
    public static int Many01() => 1;

    [McpServerTool(ReadOnly = false)]
    public static int Many02() => 2;

    [McpServerTool(ReadOnly = true)]
    public static int Many03() => 3;

    [McpServerTool(ReadOnly = false)]
    public static int Many04() => 4;

    [McpServerTool(ReadOnly = true)]
    public static int Many05() => 5;

    [McpServerTool(ReadOnly = false)]
    public static int Many06() => 6;

    [McpServerTool(ReadOnly = true)]
    public static int Many07() => 7;

    [McpServerTool(ReadOnly = false)]
    public static int Many08() => 8;

    [McpServerTool(ReadOnly = true)]
    public static int Many09() => 9;

    [McpServerTool(ReadOnly = false)]
    public static int Many10() => 10;

    [McpServerTool(ReadOnly = true)]
    public static int Many11() => 11;

    [McpServerTool(ReadOnly = false)]
    public static int Many12() => 12;

    [McpServerTool(ReadOnly = true)]
    public static int Many13() => 13;

    [McpServerTool(ReadOnly = false)]
    public static int Many14() => 14;

    [McpServerTool(ReadOnly = true)]
    public static int Many15() => 15;

    [McpServerTool(ReadOnly = false)]
    public static int Many16() => 16;

    [McpServerTool(ReadOnly = true)]
    public static int Many17() => 17;

    [McpServerTool(ReadOnly = false)]
    public static int Many18() => 18;

    [McpServerTool(ReadOnly = true)]
    public static int Many19() => 19;

    [McpServerTool(ReadOnly = false)]
    public static int Many20() => 20;

    [McpServerTool(ReadOnly = true)]
    public static int Many21() => 21;

    [McpServerTool(ReadOnly = false)]
    public static int Many22() => 22;

    [McpServerTool(ReadOnly = true)]
    public static int Many23() => 23;

    [McpServerTool(ReadOnly = false)]
    public static int Many24() => 24;

    [McpServerTool(ReadOnly = true)]
    public static int Many25() => 25;

    [McpServerTool(ReadOnly = false)]
    public static int Many26() => 26;

    [McpServerTool(ReadOnly = true)]
    public static int Many27() => 27;

    [McpServerTool(ReadOnly = false)]
    public static int Many28() => 28;

    [McpServerTool(ReadOnly = true)]
    public static int Many29() => 29;

    [McpServerTool(ReadOnly = false)]
    public static int Many30() => 30;

    [McpServerTool(ReadOnly = true)]
    public static int Many31() => 31;

    [McpServerTool(ReadOnly = false)]
    public static int Many32() => 32;

    [McpServerTool(ReadOnly = true)]
    public static int Many33() => 33;

    [McpServerTool(ReadOnly = false)]
    public static int Many34() => 34;

    [McpServerTool(ReadOnly = true)]
    public static int Many35() => 35;

    [McpServerTool(ReadOnly = false)]
    public static int Many36() => 36;

    [McpServerTool(ReadOnly = true)]
    public static int Many37() => 37;

    [McpServerTool(ReadOnly = false)]
    public static int Many38() => 38;

    [McpServerTool(ReadOnly = true)]
    public static int Many39() => 39;

    [McpServerTool(ReadOnly = false)]
    public static int Many40() => 40;
}
