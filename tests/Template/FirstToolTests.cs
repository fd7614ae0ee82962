using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Template;

/// <summary>The README's first tool, pasted where the README says: the project and its tests still build and run.</summary>
[Slow]
public sealed class FirstToolTests
{
    [Fact]
    public async Task The_first_tool_is_pasted_into_a_checkout_and_everything_still_builds()
    {
        var folder = Directory.CreateTempSubdirectory("first-tool").FullName;
        try
        {
            Sources.CopyTo(Path.Combine(folder, "checkout"));
            var checkout = Path.Combine(folder, "checkout");
            var readme = await File.ReadAllTextAsync(Path.Combine(ClientProcess.Root, "README.md"), TestContext.Current.CancellationToken);
            var code = readme.Split("```csharp\n")[1].Split("\n```")[0];
            Directory.CreateDirectory(Path.Combine(checkout, "Tools", "Clock"));
            await File.WriteAllTextAsync(Path.Combine(checkout, "Tools", "Clock", "ClockTools.cs"), code + "\n", TestContext.Current.CancellationToken);

            var tests = new Dotnet(Path.Combine(checkout, "tests"));
            await tests.BuildAsync();
            Assert.DoesNotContain("failed: 1", await new Dotnet(checkout).TestAsync("*ReadmeTests", "*Surfaces.RestTests"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
