using System.Text;
using System.Text.Json;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>JSON-RPC batches, which only revision 2025-03-26 has.</summary>
internal static class Batch
{
    private const int MaxLength = 100;

    /// <summary>Answers every request of a batch, in order, as one array; writes nothing when there was none.</summary>
    public static async Task AnswerAsync(
        JsonElement batch,
        JsonBuffer output,
        ILogger logger,
        Func<JsonRpcEnvelope, ValueTask<JsonBuffer?>> answer
    )
    {
        if (batch.GetArrayLength() is 0 or > MaxLength)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                $"Invalid request: a batch has 1 to {MaxLength} messages."
            );
        }

        var answers = new List<string>();
        foreach (var message in batch.EnumerateArray())
        {
            using var one = await AnswerOneAsync(message, logger, answer);
            if (one is { Written.IsEmpty: false })
            {
                answers.Add(Encoding.UTF8.GetString(one.Written.Span));
            }
        }

        if (answers.Count > 0)
        {
            var writer = output.StartWriting();
            writer.WriteRawValue($"[{string.Join(',', answers)}]", skipInputValidation: true);
            writer.Flush();
        }
    }

    private static async Task<JsonBuffer?> AnswerOneAsync(
        JsonElement message,
        ILogger logger,
        Func<JsonRpcEnvelope, ValueTask<JsonBuffer?>> answer
    )
    {
        JsonRpcEnvelope envelope = default;
        try
        {
            envelope = JsonRpcEnvelope.Read(message);
            return envelope.Method == "initialize"
                ? throw new JsonRpcException(
                    JsonRpcErrorCode.InvalidRequest,
                    "Invalid request: initialize must not be part of a batch.",
                    envelope.Id
                )
                : await answer(envelope);
        }
        catch (JsonRpcException refused)
        {
            return refused.ToJson();
        }
        catch (Exception failure) when (InternalError.Is(failure))
        {
            return InternalError.Explain(failure, envelope, logger).ToJson();
        }
    }
}
