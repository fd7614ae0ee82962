using System.Text.Json;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>JSON-RPC batches, which only revision 2025-03-26 has.</summary>
internal static class Batch
{
    /// <summary>Answers every request of a batch, in order, as one array; writes nothing when there was none.</summary>
    public static async Task AnswerAsync(JsonElement batch, JsonBuffer output, Func<Envelope, ValueTask<JsonBuffer?>> answer)
    {
        var answers = new List<string>();
        foreach (var message in batch.EnumerateArray())
        {
            using var one = await AnswerOneAsync(message, answer);
            if (one is { Written.IsEmpty: false })
            {
                answers.Add(System.Text.Encoding.UTF8.GetString(one.Written.Span));
            }
        }

        if (answers.Count > 0)
        {
            var writer = output.StartWriting();
            writer.WriteRawValue($"[{string.Join(',', answers)}]", skipInputValidation: true);
            writer.Flush();
        }
    }

    private static async Task<JsonBuffer?> AnswerOneAsync(JsonElement message, Func<Envelope, ValueTask<JsonBuffer?>> answer)
    {
        try
        {
            return await answer(Envelope.Read(message));
        }
        catch (RpcException refused)
        {
            var buffer = new JsonBuffer();
            var writer = buffer.StartWriting();
            refused.WriteTo(writer);
            writer.Flush();
            return buffer;
        }
    }
}
