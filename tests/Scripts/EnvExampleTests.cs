using System.Text.RegularExpressions;
using MinimalMcp.Configuration;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Scripts;

/// <summary>.env.example names what the server reads: each environment name once, and nothing else.</summary>
public sealed partial class EnvExampleTests
{
    private const string File = ".env.example";

    private static string[] Names => [.. Example().Matches(Page.Text(File)).Select(match => match.Groups[1].Value)];

    [Fact]
    public void It_has_every_environment_name_once()
    {
        Assert.Empty(EnvironmentNames.Table.Select(row => row.Name).Except(Names));
        Assert.Equal(Names.Distinct(), Names);
    }

    [Fact]
    public void It_has_no_name_that_nothing_reads()
    {
        var settings = Page.Text("docs/reference/settings.md");
        Assert.All(Names.Except(EnvironmentNames.Table.Select(row => row.Name)), name =>
            Assert.Contains($"`{name.Replace("__", ":", StringComparison.Ordinal)}`", settings)
        );
    }

    [Fact]
    public void It_sets_nothing_and_can_be_read_when_everything_is_uncommented()
    {
        var path = Path.Combine(ClientProcess.Root, File);
        Assert.Empty(SettingsFiles.ReadVariables(path));

        var all = Path.GetTempFileName();
        System.IO.File.WriteAllText(all, Example().Replace(Page.Text(File), "$1="));
        var read = SettingsFiles.ReadVariables(all).Select(variable => variable.Key);
        System.IO.File.Delete(all);

        Assert.Equal(Names.Order(), read.Order());
    }

    // "# NAME=value" is an example; other comments are sentences.
    [GeneratedRegex(@"^# ([A-Za-z_0-9]+)=", RegexOptions.Multiline)]
    private static partial Regex Example();
}
