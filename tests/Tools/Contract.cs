using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Tests.Tools;

/// <summary>One operation of an outside system, as its API has it: what a request may and must say.</summary>
/// <param name="Path">A regular expression for the whole path.</param>
/// <param name="Query">The parameters that it knows, separated by spaces; * before one that it requires.</param>
/// <param name="Body">The members that its JSON body must have, by path such as dashboard.title.</param>
internal sealed record Operation(string Method, string Path, string Query = "", string Body = "")
{
    /// <summary>Whether each request is one that the API has; the failure names the first that is not.</summary>
    public static void AssertKnown(IEnumerable<Upstream.Question> asked, IReadOnlyList<Operation> api)
    {
        Assert.NotEmpty(asked);
        Assert.All(asked, question =>
        {
            var (method, path, query) = Parts(question.Line);
            var operation = api.FirstOrDefault(operation =>
                operation.Method == method && Regex.IsMatch(path, $"^{operation.Path}$")
            );
            Assert.True(operation is not null, $"The API has no {question.Line}");
            // A form says in the body what else stands in the address.
            if (
                question.Headers.TryGetValue("Content-Type", out var type)
                && type.StartsWith("application/x-www-form-urlencoded", StringComparison.Ordinal)
            )
            {
                query = question.Body;
            }

            operation.AssertQuery(question, query);
            operation.AssertBody(question);
        });
    }

    private void AssertQuery(Upstream.Question question, string query)
    {
        var names = query
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => Uri.UnescapeDataString(pair.Split('=')[0]))
            .ToArray();
        var known = Query.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(names, name =>
            Assert.True(
                known.Any(parameter => parameter.TrimStart('*') == name),
                $"{question.Line} has the unknown parameter {name}"
            )
        );
        Assert.All(known.Where(parameter => parameter[0] == '*'), parameter =>
            Assert.True(names.Contains(parameter[1..]), $"{question.Line} lacks {parameter[1..]}")
        );
    }

    private void AssertBody(Upstream.Question question)
    {
        foreach (var path in Body.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var json = question.Json;
            foreach (var name in path.Split('.'))
            {
                json = json.ValueKind is JsonValueKind.Array ? json[0] : json;
                Assert.True(json.TryGetProperty(name, out json), $"{question.Line} lacks {path}: {question.Body}");
            }
        }
    }

    private static (string Method, string Path, string Query) Parts(string line)
    {
        var (method, address) = (line.Split(' ')[0], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        var mark = address.IndexOf('?', StringComparison.Ordinal);
        return (method, mark < 0 ? address : address[..mark], mark < 0 ? "" : address[(mark + 1)..]);
    }
}
