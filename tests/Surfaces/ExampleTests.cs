using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Every operation of the OpenAPI document has an example that works: its request is sent, and the answer has the
/// members of the example's. After a change that is meant, run once with UPDATE_SNAPSHOTS=1, which writes
/// Tools/*/examples.json.
/// </summary>
[Slow]
public sealed partial class ExampleTests
{
    private static readonly JsonSerializerOptions Pretty = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly bool Update = Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1";

    [Fact]
    public async Task Every_operation_has_a_request_that_works_and_an_answer_like_the_real_one()
    {
        await using var product = await ProductFamilies.StartAsync();
        foreach (var family in product.All)
        {
            await using var server = TestServer.Start(TestCaller.AddTo, product.Settings);
            await CheckAsync(server, family);
        }

        foreach (var family in product.Apart)
        {
            await using var server = TestServer.Start(
                TestCaller.AddTo + family.Services,
                ("Server:PublicUrl", "https://tools.example")
            );
            await CheckAsync(server, family);
        }
    }

    // The first good call of each tool is its example; all are made, because some need what others did.
    private static async Task CheckAsync(TestServer server, FamilyCalls family)
    {
        var paths = (await server.GetJsonAsync("/openapi.json?all=true")).GetProperty("paths");
        var seen = new JsonObject();
        var calls = family.Calls.Where(call => call.Failure is null).DistinctBy(call => call.Tool);
        foreach (var (tool, arguments, _) in calls)
        {
            family.Reset();
            var operation = JsonNode.Parse(paths.GetProperty($"/tools/{tool}").GetProperty("post").GetRawText())!;
            var known = operation["requestBody"] is null ? new JsonObject() : Example(operation["requestBody"]);
            Assert.True(Update || known is not null, $"{tool} has no example; run with UPDATE_SNAPSHOTS=1");
            var request = Update ? JsonNode.Parse(arguments) : known;

            using var response = await server.PostAsync("/tools/" + tool, request!.ToJsonString());
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var isGood = response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted;
            Assert.True(isGood, $"{tool} {request}: {text}");

            var answer = Shortened(JsonNode.Parse(text))!;
            var example = Example(operation["responses"]![$"{(int)response.StatusCode}"]);
            Assert.True(Update || example is not null, $"{tool} has no example answer; run with UPDATE_SNAPSHOTS=1");
            // What tells of other families is another answer where a project has others. How many items a list has
            // depends on the day.
            var isLike =
                example is not null && (family.NeedsAnother || Members(answer).ToHashSet().SetEquals(Members(example)));
            Assert.True(Update || isLike, $"{tool} answers {answer}\nand not like its example {example}");
            seen[tool] = new JsonObject
            {
                ["request"] = request.DeepClone(),
                // An answer with other times and ids is no news.
                [response.StatusCode is HttpStatusCode.OK ? "answer" : "preview"] =
                    isLike && JsonNode.DeepEquals(request, known) ? example!.DeepClone() : answer,
            };
        }

        if (Update)
        {
            var folder = family.GetType().Namespace!.Split('.')[^1];
            var file = Path.Combine(ClientProcess.Root, "Tools", folder, "examples.json");
            await File.WriteAllTextAsync(file, seen.ToJsonString(Pretty) + "\n", TestContext.Current.CancellationToken);
        }
    }

    private static JsonNode? Example(JsonNode? described) => described?["content"]?["application/json"]?["example"];

    // An example shows what an item is like; two of them do, and a picture or a long text needs no more than its start.
    private static JsonNode? Shortened(JsonNode? node) =>
        node switch
        {
            JsonArray items => new JsonArray([.. items.Take(2).Select(Shortened)]),
            JsonObject members => new JsonObject(
                members.Select(member => KeyValuePair.Create(member.Key, Shortened(member.Value)))
            ),
            JsonValue value when value.TryGetValue<string>(out var url) && Local().IsMatch(url) => Local()
                .Replace(url, "https://tools.example"),
            JsonValue value when value.TryGetValue<string>(out var text) && text.Length > 300 => text[..300] + "…",
            _ => node?.DeepClone(),
        };

    [GeneratedRegex(@"\bhttps?://(127\.0\.0\.1|localhost)(:\d+)?(?!\d)")]
    private static partial Regex Local();

    private static IEnumerable<string> Members(JsonNode node, string at = "") =>
        node switch
        {
            JsonArray items => items.OfType<JsonNode>().SelectMany(item => Members(item, at + "[]")),
            JsonObject members => members
                .Where(member => member.Value is not null)
                .SelectMany(member => Members(member.Value!, $"{at}.{member.Key}")),
            _ => [$"{at}:{(node.GetValueKind() is JsonValueKind.True ? JsonValueKind.False : node.GetValueKind())}"],
        };
}
