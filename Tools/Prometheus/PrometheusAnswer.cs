using System.Net;
using System.Text.Json;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>What Prometheus answered, with its own remarks.</summary>
internal sealed record PrometheusAnswer(JsonElement Data, string[]? Warnings, string[]? Infos)
{
    /// <summary>Makes something of it; what has another shape than the API's is not an answer of Prometheus.</summary>
    public T Read<T>(Func<PrometheusAnswer, T> read)
    {
        try
        {
            return read(this);
        }
        catch (Exception shape)
            when (shape
                    is InvalidOperationException
                        or KeyNotFoundException
                        or IndexOutOfRangeException
                        or FormatException
            )
        {
            throw new HttpRequestException(
                "Prometheus:Url answered something that is not Prometheus' API. Check the address and its path prefix.",
                shape,
                HttpStatusCode.BadGateway
            );
        }
    }
}
