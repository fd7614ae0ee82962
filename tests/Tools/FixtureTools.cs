using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools;

/// <summary>Tools of every shape that a method can have, and with every way to fail.</summary>
public sealed class FixtureTools
{
    public static void AddTo(IServiceCollection services) => services.AddSingleton(new ToolType(typeof(FixtureTools)));

    /// <summary>Beside the notes, without the families of the product.</summary>
    public static void WithNotes(IServiceCollection services)
    {
        NotesTools.Alone(services);
        AddTo(services);
    }

    /// <summary>Takes and gives back an argument of every kind.</summary>
    [McpServerTool(Name = "echo", ReadOnly = true), Description("Gives back what it was given.")]
    public static Echo Echo(
        [StringLength(10, MinimumLength = 1)] string text,
        [Range(1, 5)] int count = 1,
        bool? flag = null,
        double? ratio = null,
        Colour colour = Colour.Red,
        string[]? tags = null,
        Point? point = null
    ) => new(text, count, flag, ratio, colour, tags, point);

    [McpServerTool(Name = "say", ReadOnly = true), Description("Answers with text.")]
    public static string Say() => "“Ünïcödé”, \"quotes\", \\ and\nlines, \u0001 and 🛒.";

    [McpServerTool(Name = "numbers", ReadOnly = true), Description("Answers with a list.")]
    public static int[] Numbers() => [1, 2, 3];

    [McpServerTool(Name = "nothing"), Description("Does something and has nothing to say.")]
    public static void Nothing() { }

    [McpServerTool(Name = "missing", ReadOnly = true), Description("Finds nothing.")]
    public static Echo? Missing() => null;

    [McpServerTool(Name = "picture", ReadOnly = true), Description("Answers with a picture and a word.")]
    public static IEnumerable<ContentBlock> Picture() =>
        [
            ImageContentBlock.FromBytes(new byte[] { 1, 2, 3 }, "image/png"),
            new TextContentBlock { Text = "three bytes" },
        ];

    [McpServerTool(Name = "reports", ReadOnly = true), Description("Reports progress while it works.")]
    public static string Reports(IProgress<ProgressNotificationValue> progress)
    {
        progress.Report(new() { Progress = 1, Total = 1 });
        return "reported";
    }

    [McpServerTool(Name = "fails"), Description("Cannot do it, and says why.")]
    public static string Fails() => throw new McpException("There is no such \"thing\". Try another one.");

    [McpServerTool(Name = "gives_up"), Description("Says that it failed, in content of its own.")]
    public static CallToolResult GivesUp() =>
        new()
        {
            IsError = true,
            Content = [new TextContentBlock { Text = "One reason." }, new TextContentBlock { Text = "Another one." }],
        };

    [McpServerTool(Name = "breaks"), Description("Has a mistake.")]
    public static string Breaks() => throw new InvalidOperationException("password=hunter2");

    [McpServerTool(Name = "upstream", ReadOnly = true), Description("Asks a system that is down.")]
    public static string Upstream() => throw new HttpRequestException("The thing answered 500: out of paper.");

    [McpServerTool(Name = "upstream_slow", ReadOnly = true), Description("Asks a system that does not answer.")]
    public static string UpstreamSlow() => throw new TaskCanceledException("", new TimeoutException());

    [McpServerTool(Name = "slow", ReadOnly = true), Description("Works until it is stopped.")]
    public static async Task<string> Slow(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        return "";
    }

    [McpServerTool(Name = "deaf", ReadOnly = true), Description("Works and does not notice that it is stopped.")]
    public static Task<string> Deaf() => new TaskCompletionSource<string>().Task;
}

public sealed record Echo(
    string Text,
    int Count,
    bool? Flag,
    double? Ratio,
    Colour Colour,
    string[]? Tags,
    Point? Point
);

public sealed record Point(int X, int Y);

public enum Colour
{
    Red,
    Green,
}
