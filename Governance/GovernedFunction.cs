using System.Text.Json;
using Microsoft.Extensions.AI;
using MinimalMcp.Storage;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Governance;

/// <summary>
/// A tool's function with everything that happens to every call around it. It is the function that is wrapped, when the tool is
/// registered, and not the surfaces: so no surface can forget governance or go around it.
/// </summary>
public sealed class GovernedFunction : DelegatingAIFunction
{
    private readonly Func<AIFunctionArguments, CancellationToken, ValueTask<object?>> _method;
    private readonly ArgumentCheck _arguments;
    private readonly Consent _consent;
    private readonly Gate _gate;

    public GovernedFunction(AIFunction function, Policy policy, Gate gate)
        : base(function)
    {
        (Policy, _gate, _method) = (policy, gate, function.InvokeAsync);
        _consent = new(function.Name, function.JsonSchema, policy, gate);
        _arguments = new(function.Name, _consent.Schema, policy.OldNames);
    }

    public Policy Policy { get; }

    /// <summary>What callers may send: the tool's own arguments, and what governance takes beside them.</summary>
    public override JsonElement JsonSchema => _consent.Schema;

    // What happens to every call, in the order it happens. A step lets the call pass or throws the refusal that the caller reads.
    protected override async ValueTask<object?> InvokeCoreAsync(
        AIFunctionArguments arguments,
        CancellationToken cancellationToken
    )
    {
        var call = (ToolCall)arguments;
        var record = new CallRecord(_gate, Name, Policy, call); // outermost, so that refusals are recorded too
        try
        {
            RequireAllowed();
            RequireScope(call);
            _arguments.Check(call);
            RequireSafeAddresses(call);
            if (_consent.IsNeeded)
            {
                await _consent.RequireAsync(call, LookAsync, cancellationToken); // budget, dry run, confirmation
            }

            await record.IntendAsync(); // durable before the world changes
            var result = await Deadline.RunAsync(_method, call, LimitOf(call), Name, cancellationToken);
            await record.EndedAsync(result);
            return result;
        }
        catch (Exception failure)
        {
            await record.FailedAsync(failure);
            if (failure is StorageException)
            {
                throw Unavailable(failure);
            }

            throw;
        }
    }

    private TimeSpan LimitOf(ToolCall call) =>
        call.Deadline is { } shorter && shorter < Policy.Deadline ? shorter : Policy.Deadline;

    // The tool's own dry run, for whoever is asked to agree.
    private async ValueTask<string?> LookAsync(ToolCall call, CancellationToken cancellationToken) =>
        await Deadline.RunAsync(_method, call, LimitOf(call), Name, cancellationToken) switch
        {
            null => null,
            CallToolResult { IsError: true } failed => throw new McpException(
                string.Join('\n', failed.Content.OfType<TextContentBlock>().Select(block => block.Text))
            ),
            CallToolResult result => result.StructuredContent?.GetRawText(),
            var value => JsonSerializer.Serialize(value, value.GetType(), JsonSerializerOptions),
        };

    // What a family keeps in the server's store is as far away as the store.
    private ToolRefusedException Unavailable(Exception gone) =>
        new(
            Refusal.Unavailable,
            $"{Name} cannot reach the server's store now. "
                + (
                    Policy.Effect is Effect.Read
                        ? "Try again in a minute."
                        : "The change may have been made all the same: look before trying again."
                ),
            gone
        );

    private void RequireAllowed()
    {
        if (Policy.Denied is { } reason)
        {
            throw new ToolRefusedException(Refusal.Denied, reason);
        }
    }

    private void RequireSafeAddresses(ToolCall call)
    {
        foreach (var name in Policy.Addresses)
        {
            if (
                call.TryGetValue(name, out var value)
                && value is JsonElement json
                && MetadataAddress.In(json) is { } host
            )
            {
                throw new ToolRefusedException(
                    Refusal.Arguments,
                    $"{Name}: '{name}' leads to {SchemaNode.Shorten(host)}, "
                        + "a link-local address or a cloud's metadata service, which may hold credentials. Name another "
                        + "host. An operator can allow it: Governance:AllowMetadataAddresses=true."
                );
            }
        }
    }

    private void RequireScope(ToolCall call)
    {
        if (!call.Caller.HasScope(Policy.Scope))
        {
            throw new ToolRefusedException(
                Refusal.Scope,
                call.Caller.IsGuest
                    ? $"{Name} needs the scope {Policy.Scope}, and nobody is signed in. Sign in and allow it."
                    : call.Caller.LacksScope(Name, Policy.Scope)
            )
            {
                Scope = Policy.Scope,
            };
        }
    }
}
