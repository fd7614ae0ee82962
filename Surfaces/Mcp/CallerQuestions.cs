using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Threading.Channels;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using ToolCall = MinimalMcp.Governance.ToolCall;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Asks a caller's user or model during a call, for another server. In a conversation the question is a request of its
/// own. Since 2026-07-28 it is the result of the request, and the answer comes with another one (SEP-2322): the call
/// waits here meanwhile, on this replica.
/// </summary>
internal sealed class CallerQuestions(TimeProvider time)
{
    private const string Prefix = "call:",
        Question = "question";
    private const int MaxWaiting = 200,
        MaxOfCaller = 10;

    private readonly ConcurrentDictionary<string, WaitingCall> _waiting = new(StringComparer.Ordinal);

    /// <summary>Whether the client may be asked something during a call.</summary>
    public static bool CanBeAsked(ClientCapabilities? client) =>
        client is { Elicitation: not null } or { Sampling: not null };

    /// <summary>Runs the call, which gets how to ask; or continues one with the answer.</summary>
    public async ValueTask<ToolResult> RunAsync(
        RequestContext<CallToolRequestParams> request,
        Func<
            Func<InputRequest, CancellationToken, ValueTask<InputResponse>>?,
            CancellationToken,
            ValueTask<ToolResult>
        > run,
        CancellationToken cancellationToken
    )
    {
        var parameters = request.Params!;
        if (parameters.RequestState is { } state && state.StartsWith(Prefix, StringComparison.Ordinal))
        {
            if (!_waiting.TryGetValue(state, out var known) || !known.IsOf(Owner(), parameters.Name))
            {
                throw new McpProtocolException(
                    "Invalid params: no call waits for this answer any more. It ended, or it waits at another replica "
                        + "of this server. Call the tool again.",
                    McpErrorCode.InvalidParams
                );
            }

            _waiting.TryRemove(state, out _);
            known.Answer(
                parameters.InputResponses?.TryGetValue(Question, out var answer) is true
                    ? answer
                    : throw new McpProtocolException(
                        $"Invalid params: inputResponses has no \"{Question}\".",
                        McpErrorCode.InvalidParams
                    )
            );
            return await NextAsync(known, cancellationToken);
        }

        if (!CanBeAsked(request.Server.ClientCapabilities))
        {
            return await run(null, cancellationToken);
        }

        if (!ProtocolRevision.IsModern(request.JsonRpcRequest.Context?.ProtocolVersion))
        {
            return await run((question, stop) => AskAsync(request.Server, question, stop), cancellationToken);
        }

        var call = new WaitingCall(Owner(), parameters.Name, request.Server.ClientCapabilities!);
        call.Running = run(call.AskAsync, call.Stopped).AsTask();
        return await NextAsync(call, cancellationToken);
    }

    // The result, or the next question.
    private async ValueTask<ToolResult> NextAsync(WaitingCall call, CancellationToken cancellationToken)
    {
        await using var stopping = cancellationToken.Register(call.Stop);
        var asked = call.Questions.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
        if (await Task.WhenAny(call.Running, asked) == call.Running || !call.Questions.Reader.TryRead(out var question))
        {
            return await call.Running;
        }

        if (_waiting.Count >= MaxWaiting || _waiting.Values.Count(other => other.IsOf(Owner())) >= MaxOfCaller)
        {
            call.Refuse($"{MaxOfCaller} calls of this caller, or {MaxWaiting} of all, wait for answers already");
            return await NextAsync(call, cancellationToken);
        }

        var state = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        _waiting[state] = call;
        _ = ForgetAsync(state, call);
        throw new InputRequiredException(new Dictionary<string, InputRequest> { [Question] = question }, state);
    }

    private async Task ForgetAsync(string state, WaitingCall call)
    {
        await ((Task)call.Answered.WaitAsync(CallClock.AnswerLimit, time, call.Stopped)).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing
        );
        if (_waiting.TryRemove(new(state, call)))
        {
            call.Stop();
        }
    }

    private static (string, string?) Owner()
    {
        var caller = Caller.From(SdkCall.Current.Origin.User);
        return (caller.Subject, caller.Client);
    }

    private static async ValueTask<InputResponse> AskAsync(
        McpServer server,
        InputRequest question,
        CancellationToken cancellationToken
    )
    {
        RequireCapability(server.ClientCapabilities, question);
        return question.Method == RequestMethods.ElicitationCreate
            ? InputResponse.FromElicitResult(await server.ElicitAsync(question.ElicitationParams!, cancellationToken))
            : InputResponse.FromSamplingResult(await server.SampleAsync(question.SamplingParams!, cancellationToken));
    }

    private static void RequireCapability(ClientCapabilities? client, InputRequest question)
    {
        var isElicitation = question.Method == RequestMethods.ElicitationCreate;
        if (isElicitation ? client?.Elicitation is null : client?.Sampling is null)
        {
            throw new McpException(
                $"the caller's client does not support {(isElicitation ? "elicitation" : "sampling")}"
            );
        }
    }

    [SuppressMessage("Design", "CA1001", Justification = "It may be stopped after it ended; neither has a handle.")]
    private sealed class WaitingCall((string, string?) owner, string tool, ClientCapabilities client)
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly SemaphoreSlim _one = new(1);
        private TaskCompletionSource<InputResponse> _answer = new();

        public Task<ToolResult> Running { get; set; } = null!;

        public Channel<InputRequest> Questions { get; } = Channel.CreateBounded<InputRequest>(1);

        public CancellationToken Stopped => _stop.Token;

        /// <summary>The answer to the question that was asked last.</summary>
        public Task<InputResponse> Answered => _answer.Task;

        public bool IsOf((string, string?) other, string? name = null) => owner == other && (name ?? tool) == tool;

        public void Stop() => _stop.Cancel();

        public void Answer(InputResponse answer) => _answer.TrySetResult(answer);

        public void Refuse(string why) => _answer.TrySetException(new McpException(why));

        // One question at a time.
        public async ValueTask<InputResponse> AskAsync(InputRequest question, CancellationToken cancellationToken)
        {
            RequireCapability(client, question);
            await _one.WaitAsync(cancellationToken);
            try
            {
                _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
                await Questions.Writer.WriteAsync(question, cancellationToken);
                return await _answer.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                _one.Release();
            }
        }
    }
}
