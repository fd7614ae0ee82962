using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Storage;
using ModelContextProtocol;

namespace MinimalMcp.Hub;

/// <summary>Audit entries of what operators do to servers: one before, which must be durable, and one after.</summary>
internal sealed class HubAudit(AuditLog audit, TimeProvider time)
{
    /// <summary>Says in the entry after it what the request was about.</summary>
    public static void Describe(HttpContext http, string name, JsonNode? value)
    {
        if (http.Items[typeof(HubAudit)] is JsonObject about)
        {
            about[name] = value;
        }
    }

    public async Task<object> RunAsync(string action, HttpContext http, Func<HttpContext, Task<object>> answer)
    {
        var about = new JsonObject();
        foreach (var name in (string[])["id", "tool"])
        {
            if (http.Request.RouteValues[name] is string value)
            {
                about[name] = TextLimit.Cut(value, TextLimit.Name);
            }
        }

        http.Items[typeof(HubAudit)] = about;
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        await audit.WriteAsync(Entry("intent", "intent", null));
        try
        {
            var result = await answer(http);
            await audit.WriteSoonAsync(Entry("outcome", "ok", null));
            return result;
        }
        catch (Exception failure)
        {
            var outcome = failure is ServerRefusedException { Status: < 500 } refused
                ? $"refused: {refused.Status}"
                : "failed";
            var isSentence = failure is ServerRefusedException or McpException;
            await audit.WriteSoonAsync(
                Entry("outcome", outcome, isSentence ? failure.Message : failure.GetType().Name)
            );
            throw;
        }

        AuditEntry Entry(string phase, string outcome, string? detail)
        {
            var caller = Caller.From(http.User);
            return new()
            {
                At = time.GetUtcNow().ToUnixTimeMilliseconds(),
                Phase = phase,
                CallId = id,
                Subject = caller.Subject,
                Client = caller.Client,
                Address = http.Connection.RemoteIpAddress?.ToString(),
                Surface = "hub",
                Tool = $"servers/{action}",
                Level = nameof(RiskLevel.High).ToUpperInvariant(),
                Arguments = about.ToJsonString(),
                Outcome = outcome,
                Detail = detail is null ? null : TextLimit.Cut(detail, TextLimit.Detail),
            };
        }
    }
}
