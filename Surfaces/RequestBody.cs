using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using MinimalMcp.Auth;

namespace MinimalMcp.Surfaces;

/// <summary>Reads a request body without copying it, and writes prepared JSON.</summary>
internal static class RequestBody
{
    /// <summary>
    /// Reads the whole body. The caller advances the pipe to the end of the returned buffer when done with it.
    /// </summary>
    public static async ValueTask<ReadOnlySequence<byte>> ReadToEndAsync(
        this PipeReader reader,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.IsCompleted)
            {
                return read.Buffer;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>True for application/json, with or without parameters; for application/*+json too.</summary>
    public static bool IsJson(HttpRequest request) =>
        request.ContentType == "application/json" || request.HasJsonContentType();

    public static async Task WriteJsonAsync(
        this HttpResponse response,
        int status,
        ReadOnlyMemory<byte> json,
        string contentType = "application/json"
    )
    {
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = json.Length;
        await response.BodyWriter.WriteAsync(json);
    }

    /// <summary>202: accepted without a response.</summary>
    public static void Accept(this HttpResponse response)
    {
        if (!response.HasStarted)
        {
            response.ContentType = null;
            response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    public static async Task RefuseAsync(this HttpResponse response, JsonRpcException refused)
    {
        if (response.HasStarted)
        {
            response.HttpContext.Abort();
            return;
        }

        if (refused.Challenge is not null)
        {
            response.Headers.WWWAuthenticate = refused.Challenge;
        }

        response.HttpContext.Explain(refused.Message);
        using var answer = refused.ToJson();
        await response.WriteJsonAsync(refused.Status, answer.Written);
    }
}
