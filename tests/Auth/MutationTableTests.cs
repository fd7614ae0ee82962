using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Auth;

/// <summary>
/// scripts/mutation takes away one guard after the other; a guard that has moved would be taken away no more.
/// </summary>
public sealed class MutationTableTests
{
    private sealed record Mutation(
        string Name,
        string Test,
        string File,
        List<string> Texts,
        List<string> Replacements
    );

    [Fact]
    public void Every_guard_of_the_table_stands_where_it_says_exactly_once()
    {
        var mutations = Read();

        Assert.True(mutations.Count >= 25);
        Assert.Equal(mutations.Count, mutations.Select(mutation => mutation.Name).Distinct().Count());
        foreach (var mutation in mutations)
        {
            var source = File.ReadAllText(Path.Combine(ClientProcess.Root, mutation.File));
            Assert.NotEmpty(mutation.Texts);
            Assert.Equal(mutation.Texts.Count, mutation.Replacements.Count);
            Assert.All(mutation.Texts, text =>
            {
                var count = Pattern(text).Count(source);
                Assert.True(count == 1, $"{mutation.Name}: '{text}' stands {count} times in {mutation.File}");
            });
            Assert.All(mutation.Texts.Zip(mutation.Replacements), pair => Assert.NotEqual(pair.First, pair.Second));
        }
    }

    [Fact]
    public void Every_test_class_of_the_table_is_there()
    {
        var classes = typeof(MutationTableTests).Assembly.GetTypes().Select(type => type.FullName!).ToArray();

        Assert.All(Read(), mutation =>
            Assert.True(
                mutation.Test.StartsWith('*')
                    && classes.Any(name => name.EndsWith(mutation.Test[1..], StringComparison.Ordinal)),
                $"{mutation.Name}: {mutation.Test}"
            )
        );
    }

    // The text, however the formatter broke its lines: scripts/mutation looks for it in the same way.
    private static Regex Pattern(string text) =>
        new(string.Join(@"\s*", text.Where(c => !char.IsWhiteSpace(c)).Select(c => Regex.Escape($"{c}"))));

    private static List<Mutation> Read()
    {
        var mutations = new List<Mutation>();
        foreach (var line in File.ReadLines(Path.Combine(ClientProcess.Root, "tests", "Auth", "mutations.txt")))
        {
            var rest = line.Length > 2 ? line[2..] : "";
            switch (line.FirstOrDefault())
            {
                case '=':
                    mutations.Add(new(rest, "", "", [], []));
                    break;
                case '?':
                    mutations[^1] = mutations[^1] with { Test = rest };
                    break;
                case '@':
                    mutations[^1] = mutations[^1] with { File = rest };
                    break;
                case '-':
                    mutations[^1].Texts.Add(rest);
                    break;
                case '+':
                    mutations[^1].Replacements.Add(rest);
                    break;
            }
        }

        return mutations;
    }
}
