using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using static ModelContextProtocol.Protocol.ElicitRequestParams;

namespace MinimalMcp.Tests.Conformance;

/// <summary>
/// Tools that end a call with "input_required" and finish when the client calls again with the answers (SEP-2322).
/// A missing or malformed answer is asked for again; answers that nobody asked for are ignored.
/// </summary>
[McpServerToolType]
public sealed class InputRequiredTools
{
    [McpServerTool(Name = "test_input_required_result_elicitation"), Description("Asks the user's name.")]
    public static string Elicitation(RequestContext<CallToolRequestParams> context) =>
        Answers.User(context.Params, "user_name", "name") is { } name
            ? $"Hello, {name}!"
            : throw new InputRequiredException(Questions(("user_name", Name("What is your name?"))));

    [McpServerTool(Name = "test_input_required_result_sampling"), Description("Asks the client's model.")]
    public static string Sampling(RequestContext<CallToolRequestParams> context) =>
        Answers.Model(context.Params, "capital_question")
        ?? throw new InputRequiredException(
            Questions(("capital_question", Model("What is the capital of France?", 100)))
        );

    [McpServerTool(Name = "test_input_required_result_list_roots"), Description("Asks for the client's roots.")]
    public static string ListRoots(RequestContext<CallToolRequestParams> context) =>
        Answers.Roots(context.Params, "client_roots") is { } roots
            ? "Roots: " + roots
            : throw new InputRequiredException(Questions(("client_roots", Roots())));

    [
        McpServerTool(Name = "test_input_required_result_request_state"),
        Description("Asks for a confirmation and checks the returned state.")
    ]
    public static string RequestState(RequestContext<CallToolRequestParams> context) =>
        Confirm(context, "request_state", "state-ok");

    [
        McpServerTool(Name = "test_input_required_result_tampered_state"),
        Description("Refuses a state that it did not issue.")
    ]
    public static string TamperedState(RequestContext<CallToolRequestParams> context) =>
        Confirm(context, "tampered_state", "The state came back as it was issued.");

    [
        McpServerTool(Name = "test_input_required_result_multiple_inputs"),
        Description("Asks the user, the model and for the roots at once.")
    ]
    public static string MultipleInputs(RequestContext<CallToolRequestParams> context)
    {
        const string tool = "multiple_inputs";
        SealedState.Open(tool, context.Params?.RequestState);
        if (
            Answers.User(context.Params, "user_name", "name") is { } name
            && Answers.Model(context.Params, "greeting") is { } greeting
            && Answers.Roots(context.Params, "client_roots") is { } roots
        )
        {
            return $"{name}: {greeting} ({roots})";
        }
        throw new InputRequiredException(
            Questions(
                ("user_name", Name("What is your name?")),
                ("greeting", Model("Generate a greeting", 50)),
                ("client_roots", Roots())
            ),
            SealedState.Seal(tool, "asked")
        );
    }

    [
        McpServerTool(Name = "test_input_required_result_multi_round"),
        Description("Asks two questions, one after the other.")
    ]
    public static string MultiRound(RequestContext<CallToolRequestParams> context)
    {
        const string tool = "multi_round";
        // The state is "1" while the name is open, and "2:" and the name while the colour is.
        var state = SealedState.Open(tool, context.Params?.RequestState);
        var name =
            state is ['2', ':', .. var known] ? known
            : state is "1" ? Answers.User(context.Params, "step1", "name")
            : null;
        if (name is null)
        {
            throw new InputRequiredException(
                Questions(("step1", Name("Step 1: What is your name?"))),
                SealedState.Seal(tool, "1")
            );
        }
        return state != "1" && Answers.User(context.Params, "step2", "color") is { } color
            ? $"{name} likes {color}."
            : throw new InputRequiredException(
                Questions(("step2", Field("Step 2: What is your favorite color?", "color", new StringSchema()))),
                SealedState.Seal(tool, "2:" + name)
            );
    }

    [
        McpServerTool(Name = "test_input_required_result_capabilities"),
        Description("Asks only in ways that the client declared.")
    ]
    public static string Capabilities(McpServer server, RequestContext<CallToolRequestParams> context)
    {
        var client = server.ClientCapabilities;
        Dictionary<string, InputRequest> questions = [];
        if (client?.Elicitation is not null && Answers.User(context.Params, "user_name", "name") is null)
        {
            questions["user_name"] = Name("What is your name?");
        }
        if (client?.Sampling is not null && Answers.Model(context.Params, "greeting") is null)
        {
            questions["greeting"] = Model("Generate a greeting", 50);
        }
        return questions.Count == 0 ? "Nothing left to ask." : throw new InputRequiredException(questions);
    }

    internal static Dictionary<string, InputRequest> Questions(
        params (string Key, InputRequest Question)[] questions
    ) => questions.ToDictionary(q => q.Key, q => q.Question);

    internal static InputRequest Field(string message, string field, PrimitiveSchemaDefinition schema) =>
        InputRequest.ForElicitation(Ask.User(message, new() { [field] = schema }));

    private static InputRequest Name(string message) => Field(message, "name", new StringSchema());

    private static InputRequest Model(string prompt, int maxTokens) =>
        InputRequest.ForSampling(Ask.Model(prompt, maxTokens));

    private static InputRequest Roots() => InputRequest.ForRootsList(new());

    private static string Confirm(RequestContext<CallToolRequestParams> context, string tool, string done)
    {
        var state = SealedState.Open(tool, context.Params?.RequestState);
        return state is not null && Answers.User(context.Params, "confirm", "ok") is "true"
            ? done
            : throw new InputRequiredException(
                Questions(("confirm", Field("Please confirm", "ok", new BooleanSchema()))),
                SealedState.Seal(tool, "asked")
            );
    }
}

/// <summary>Reads what the client answered; null means: not answered, or not in the form that was asked for.</summary>
internal static class Answers
{
    public static string? User(RequestParams? request, string key, string field) =>
        TryRead(request, key, InputResponse.ElicitResultJsonTypeInfo, out var answer)
        && answer.IsAccepted
        && answer.Content?.TryGetValue(field, out var value) == true
            ? value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : value.GetRawText()
            : null;

    public static string? Model(RequestParams? request, string key) =>
        TryRead(request, key, InputResponse.CreateMessageResultJsonTypeInfo, out var answer)
            ? answer.Content.OfType<TextContentBlock>().FirstOrDefault()?.Text
            : null;

    public static string? Roots(RequestParams? request, string key) =>
        TryRead(request, key, InputResponse.ListRootsResultJsonTypeInfo, out var answer)
            ? string.Join(", ", answer.Roots.Select(r => r.Uri))
            : null;

    private static bool TryRead<T>(
        RequestParams? request,
        string key,
        JsonTypeInfo<T> type,
        [NotNullWhen(true)] out T? answer
    )
        where T : class
    {
        answer = null;
        if (request?.InputResponses?.TryGetValue(key, out var response) != true)
        {
            return false;
        }
        try
        {
            answer = response!.Deserialize(type);
        }
        catch (JsonException)
        {
            // Not what was asked for: the tool asks again.
        }
        return answer is not null;
    }
}

/// <summary>
/// requestState travels through the client, so it is only believed with a valid HMAC, and only by the tool that issued
/// it.
/// </summary>
internal static class SealedState
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    public static string Seal(string tool, string state) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(state)) + "." + Mac(tool, state);

    public static string? Open(string tool, string? sealedState)
    {
        if (sealedState is null)
        {
            return null;
        }
        var parts = sealedState.Split('.');
        var bytes = new byte[sealedState.Length];
        if (parts.Length == 2 && Convert.TryFromBase64String(parts[0], bytes, out var length))
        {
            var state = Encoding.UTF8.GetString(bytes, 0, length);
            if (
                CryptographicOperations.FixedTimeEquals(
                    Encoding.UTF8.GetBytes(Mac(tool, state)),
                    Encoding.UTF8.GetBytes(parts[1])
                )
            )
            {
                return state;
            }
        }
        throw new McpProtocolException("requestState was not issued by this server", McpErrorCode.InvalidParams);
    }

    private static string Mac(string tool, string state) =>
        Convert.ToHexString(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(tool + "\n" + state)));
}
