using System.Buffers;
using System.Text.Json;

namespace MinimalMcp.Load;

/// <summary>
/// What Kestrel costs by itself: the body is read and tokenised, the answer is constant and as long as the server's.
/// </summary>
internal static class BareServer
{
    public static void Run(string answerLengths, string[] args)
    {
        var lengths = answerLengths.Split(',').Select(int.Parse).ToArray();
        byte[] legacy = Answer(lengths[0]),
            modern = Answer(lengths[1]);

        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        var app = builder.Build();
        app.MapPost("/mcp", context =>
            Post(context, context.Request.Headers[Call.VersionHeader] == Call.Modern ? modern : legacy)
        );
        app.MapGet("/mcp", Stream);
        app.MapGet("/sse", Stream);
        app.Run();
    }

    private static byte[] Answer(int length)
    {
        const string start = """{"jsonrpc":"2.0","id":1,"result":""",
            end = "\"}";
        return System.Text.Encoding.ASCII.GetBytes((start + "\"").PadRight(length - end.Length, 'x') + end);
    }

    private static async Task Post(HttpContext context, byte[] answer)
    {
        var body = context.Request.BodyReader;
        var read = await body.ReadAsync();
        while (!read.IsCompleted)
        {
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await body.ReadAsync();
        }
        Tokenise(read.Buffer);
        body.AdvanceTo(read.Buffer.End);

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        await context.Response.BodyWriter.WriteAsync(answer);
    }

    private static void Tokenise(ReadOnlySequence<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read()) { }
    }

    private static async Task Stream(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.BodyWriter.WriteAsync(": open\n\n"u8.ToArray());
        await Task.Delay(Timeout.Infinite, context.RequestAborted)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
