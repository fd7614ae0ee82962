using System.Text.Json;
using Microsoft.Extensions.AI;
using MinimalMcp.Storage;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Governance;

/// <summary>
/// Wraps a tool's function with the steps that apply to every call. The function is wrapped when the tool is
/// registered, and not in the surfaces, so that no surface can bypass governance.
/// </summary>
internal sealed class GovernedFunction : DelegatingAIFunction
{
    private readonly Func<AIFunctionArguments, CancellationToken, ValueTask<object?>> _method;
    private readonly ArgumentCheck _arguments;
    private readonly ConfirmationPolicy _consent;
    private readonly GovernanceServices _services;

    public GovernedFunction(AIFunction function, ToolPolicy policy, GovernanceServices services)
        : base(function)
    {
        (Policy, _services, _method) = (policy, services, function.InvokeAsync);
        _consent = new(function.Name, function.JsonSchema, policy, services);
        _arguments = new(function.Name, _consent.Schema, policy.OldNames);
    }

    public ToolPolicy Policy { get; }

    /// <summary>The tool's own arguments and those that governance adds.</summary>
    public override JsonElement JsonSchema => _consent.Schema;

    // The steps of every call, in order. A step lets the call pass or throws the refusal that the caller reads.
    protected override async ValueTask<object?> InvokeCoreAsync(
        AIFunctionArguments arguments,
        CancellationToken cancellationToken
    )
    {
        var call = (ToolCall)arguments;
        var record = new CallAudit(_services, Name, Policy, call); // outermost, so that refusals are audited too
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

            await record.IntendAsync(); // durable before anything changes
            var result = await CallTimeout.RunAsync(_method, call, LimitOf(call), Name, cancellationToken);
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

    // The tool's own dry run, for the confirmation.
    private async ValueTask<string?> LookAsync(ToolCall call, CancellationToken cancellationToken) =>
        await CallTimeout.RunAsync(_method, call, LimitOf(call), Name, cancellationToken) switch
        {
            null => null,
            CallToolResult { IsError: true } failed => throw new McpException(
                string.Join('\n', failed.Content.OfType<TextContentBlock>().Select(block => block.Text))
            ),
            CallToolResult result => result.StructuredContent?.GetRawText(),
            var value => JsonSerializer.Serialize(value, value.GetType(), JsonSerializerOptions),
        };

    // A family that uses the server's store fails with the store.
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
                && CloudMetadataAddress.In(json) is { } host
            )
            {
                throw new ToolRefusedException(
                    Refusal.Arguments,
                    $"{Name}: '{name}' leads to {SchemaNode.Shorten(host)}, a link-local address or a cloud "
                        + "metadata service, which may hold credentials. Use another host. An operator can allow "
                        + "it with Governance:AllowMetadataAddresses=true."
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
                    ? $"{Name} needs the scope {Policy.Scope}, but nobody is signed in. Sign in and grant it."
                    : call.Caller.LacksScope(Name, Policy.Scope)
            )
            {
                Scope = Policy.Scope,
            };
        }
    }
}
