namespace MinimalMcp.Tests.Protocol;

/// <summary>
/// Messages that are wrong in themselves, and the JSON-RPC error that each deserves on every surface.
/// </summary>
internal static class BadMessages
{
    private static readonly string Deep = new string('[', 10_000) + new string(']', 10_000);

    public static readonly Dictionary<string, (int Code, string Body)> All = new()
    {
        ["truncated"] = (-32700, """{"jsonrpc":"2.0","id":1,"met"""),
        ["not JSON"] = (-32700, "hello"),
        ["two values"] = (-32700, Wire.Ping + Wire.Ping),
        ["a comment"] = (-32700, "/**/" + Wire.Ping),
        ["a byte order mark"] = (-32700, "\u00ef\u00bb\u00bf" + Wire.Ping),
        ["not a number"] = (-32700, """{"jsonrpc":"2.0","id":NaN,"method":"ping"}"""),
        ["not UTF-8"] = (-32700, "{\"jsonrpc\":\"2.0\",\"id\":\"\u00ff\",\"method\":\"ping\"}"),
        ["half a surrogate pair in the method"] = (-32700, """{"jsonrpc":"2.0","id":1,"method":"\ud800"}"""),
        ["half a surrogate pair in an argument"] = (
            -32700,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topics","arguments":"""
                + """{"start":"\uDC00"}}}"""
        ),
        ["half a surrogate pair in a key"] = (
            -32700,
            """{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\ud800":1}}"""
        ),
        ["nested 10,000 deep"] = (-32700, $$$"""{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":{{{Deep}}}}}"""),
        ["a key twice"] = (-32700, """{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"""),
        ["a key twice, once escaped"] = (
            -32700,
            """{"jsonrpc":"2.0","id":1,"method":"ping","\u006dethod":"tools/list"}"""
        ),
        ["a key twice in params"] = (
            -32700,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topics","name":"send_picked"}}"""
        ),
        ["a key twice in _meta"] = (
            -32700,
            """{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1,"progressToken":2}}}"""
        ),
        ["a key twice in arguments"] = (
            -32700,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topics","arguments":"""
                + """{"start":"a","start":"b"}}}"""
        ),
        ["Method"] = (-32600, """{"jsonrpc":"2.0","id":1,"Method":"ping"}"""),
        ["JSONRPC"] = (-32600, """{"JSONRPC":"2.0","id":1,"method":"ping"}"""),
        ["jsonrpc 1.0"] = (-32600, """{"jsonrpc":"1.0","id":1,"method":"ping"}"""),
        ["jsonrpc as a number"] = (-32600, """{"jsonrpc":2.0,"id":1,"method":"ping"}"""),
        ["no jsonrpc"] = (-32600, """{"id":1,"method":"ping"}"""),
        ["null id"] = (-32600, """{"jsonrpc":"2.0","id":null,"method":"ping"}"""),
        ["fractional id"] = (-32600, """{"jsonrpc":"2.0","id":1.5,"method":"ping"}"""),
        ["huge id"] = (-32600, """{"jsonrpc":"2.0","id":9223372036854775808,"method":"ping"}"""),
        ["very long id"] = (-32600, $$"""{"jsonrpc":"2.0","id":"{{new string('x', 257)}}","method":"ping"}"""),
        ["object id"] = (-32600, """{"jsonrpc":"2.0","id":{},"method":"ping"}"""),
        ["boolean id"] = (-32600, """{"jsonrpc":"2.0","id":true,"method":"ping"}"""),
        ["no method"] = (-32600, """{"jsonrpc":"2.0","id":1}"""),
        ["empty method"] = (-32600, """{"jsonrpc":"2.0","id":1,"method":""}"""),
        ["method as a number"] = (-32600, """{"jsonrpc":"2.0","id":1,"method":1}"""),
        ["method too long"] = (-32600, $$"""{"jsonrpc":"2.0","id":1,"method":"{{new string('m', 129)}}"}"""),
        ["a request with a result"] = (-32600, """{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"""),
        ["params as an array"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"""),
        ["params as null"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"""),
        ["a string"] = (-32600, "\"ping\""),
        ["null"] = (-32600, "null"),
        ["a batch"] = (-32600, $"[{Wire.Ping}]"),
        ["an empty batch"] = (-32600, "[]"),
        ["a batch of numbers"] = (-32600, "[1,2]"),
        ["arguments as an array"] = (
            -32602,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topics","arguments":[]}}"""
        ),
        ["arguments as an array, in the SDK path"] = (
            -32602,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait_in_conversation","arguments":[]}}"""
        ),
        ["arguments as text"] = (
            -32602,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topics","arguments":"{}"}}"""
        ),
        ["no tool name"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"""),
        ["no params of tools/call"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"tools/call"}"""),
        ["tool name as a number"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"""),
        ["unknown tool"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topic"}}"""),
        ["unknown cursor"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}"""),
        ["unknown prompt"] = (
            -32602,
            """{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"nothing"}}"""
        ),
        ["prompt name as an object"] = (
            -32602,
            """{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":{}}}"""
        ),
        ["no resource"] = (-32602, """{"jsonrpc":"2.0","id":1,"method":"resources/read"}"""),
        ["completion of nothing"] = (
            -32602,
            """{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":"x","argument":{}}}"""
        ),
        ["unknown method"] = (-32601, """{"jsonrpc":"2.0","id":1,"method":"tools/dance"}"""),
    };

    public static TheoryData<string> Names => [.. All.Keys];
}
