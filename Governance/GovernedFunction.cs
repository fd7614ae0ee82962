using Microsoft.Extensions.AI;

namespace MinimalMcp.Governance;

/// <summary>
/// A tool's function with everything that happens to every call around it. It is the function that is wrapped, when the tool is
/// registered, and not the surfaces: so no surface can forget governance or go around it.
/// </summary>
public sealed class GovernedFunction(AIFunction function, Policy policy, CallLog log) : DelegatingAIFunction(function)
{
    private readonly Func<AIFunctionArguments, CancellationToken, ValueTask<object?>> _method = function.InvokeAsync;
    private readonly ArgumentCheck _arguments = new(function.Name, function.JsonSchema);

    public Policy Policy { get; } = policy;

    // What happens to every call, in the order it happens. A step lets the call pass or throws the refusal that the caller reads.
    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var call = (ToolCall)arguments;
        var record = log.Begin(Name, call);              // outermost, so that refusals are recorded too
        try
        {
            RequireScope(call);
            _arguments.Check(call);
            var result = await Deadline.RunAsync(_method, call, Policy.Deadline, Name, cancellationToken);
            record.Succeeded();
            return result;
        }
        catch (Exception failure)
        {
            record.Failed(failure);
            throw;
        }
    }

    private void RequireScope(ToolCall call)
    {
        if (!call.Caller.HasScope(Policy.Scope))
        {
            throw new ToolRefusedException(Refusal.Scope,
                $"{Name} needs the scope {Policy.Scope}, which this connection was not granted. Connect again and allow it.");
        }
    }
}
