using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>Calls whose answers must be the same whichever way they come.</summary>
internal static class Cases
{
    /// <summary>One good call of every tool of the notes.</summary>
    public static readonly (string Tool, string Arguments)[] Good =
    [
        ("find_notes", """{"query":"milk","limit":1}"""),
        ("pick_note", """{"code":"milk","copies":2}"""),
        ("list_picked", "{}"),
        ("share_notes", """{"audience":"Team"}"""),
        ("get_topics", """{"start":"h"}"""),
        ("send_picked", "{}"),
    ];

    /// <summary>Good calls of tools with results of other shapes.</summary>
    public static readonly (string Tool, string Arguments)[] Shapes =
    [
        ("echo", """{"text":"ü 🛒 \"\\ \n"}"""),
        (
            "echo",
            """{"text":"all","count":5,"flag":true,"ratio":1.5,"colour":"Green","tags":["a","b"],"point":"""
                + """{"x":1,"y":-2}}"""
        ),
        (
            "echo",
            """{"text":"dressed","count":"5","flag":"true","ratio":"1.5","""
                + """ "tags":"[\"a\"]","point":"{\"x\":1,\"y\":2}"}"""
        ),
        ("echo", """{"text":"nulls","count":null,"flag":null,"colour":null,"tags":null,"point":null}"""),
        ("echo", """{"text":"whole","count":3.0}"""),
        ("say", "{}"),
        ("numbers", "{}"),
        ("nothing", "{}"),
        ("picture", "{}"),
        ("reports", "{}"),
    ];

    public static readonly (string Tool, string Arguments, FailureKind Kind)[] BadNotes =
    [
        ("find_notes", "{}", FailureKind.Arguments),
        ("find_notes", """{"query":"milk","colour":"red"}""", FailureKind.Arguments),
        ("find_notes", """{"query":{}}""", FailureKind.Arguments),
        ("find_notes", """{"query":"milk","limit":51}""", FailureKind.Arguments),
        ("find_notes", """{"query":"milk","limit":"many"}""", FailureKind.Arguments),
        ("find_notes", """{"query":"milk","topic":"shoes"}""", FailureKind.Tool),
        ("share_notes", """{"audience":"Nobody"}""", FailureKind.Arguments),
        ("pick_note", """{"code":"nothing-like-it"}""", FailureKind.Tool),
        ("send_picked", "{}", FailureKind.Tool),
    ];

    public static readonly (string Tool, string Arguments, FailureKind Kind)[] Bad =
    [
        .. BadNotes,
        ("echo", "{}", FailureKind.Arguments),
        ("echo", """{"text":null}""", FailureKind.Arguments),
        (
            "echo",
            """{"text":"","count":0,"flag":"perhaps","ratio":[],"colour":"Blue","tags":[1],"point":{"x":1},"else":1}""",
            FailureKind.Arguments
        ),
        ("echo", """{"text":"x","Count":1}""", FailureKind.Arguments),
        ("echo", """{"text":"x","count":99999999999999999999}""", FailureKind.Arguments),
        ("echo", """{"text":"x","point":{"x":1.5,"y":0}}""", FailureKind.Arguments),
        ("fails", "{}", FailureKind.Tool),
        ("gives_up", "{}", FailureKind.Tool),
        ("missing", "{}", FailureKind.Tool),
        ("breaks", "{}", FailureKind.Unexpected),
        ("upstream", "{}", FailureKind.Upstream),
        ("upstream_slow", "{}", FailureKind.UpstreamTimeout),
        ("slow", "{}", FailureKind.Deadline),
        ("deaf", "{}", FailureKind.Deadline),
    ];
}
