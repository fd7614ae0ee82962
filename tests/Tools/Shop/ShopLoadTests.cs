using System.Diagnostics;
using System.Text.Json;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>
/// The load test as it comes: a server with key, budget and record, and one with a slow shop behind it.
/// </summary>
[Slow]
public sealed class ShopLoadTests
{
    [Fact]
    public async Task Every_scenario_runs_against_a_server_that_is_started_for_it()
    {
        var folder = Directory.CreateTempSubdirectory("load-test");
        try
        {
            var (exitCode, output, errors) = await ClientProcess.RunAsync(
                new ProcessStartInfo(
                    "dotnet",
                    [
                        Path.Combine(AppContext.BaseDirectory, "Load.dll"),
                        "--server",
                        ServerProcess.Dll,
                        "--seconds",
                        "2",
                        "--parts",
                        "scenarios",
                        "--no-defaults",
                        "--threshold",
                        "*.fail <= 0 %",
                        "--threshold",
                        "slow-upstream.p50 >= 200 ms",
                        "--out",
                        folder.FullName,
                    ]
                )
                {
                    WorkingDirectory = ClientProcess.Root,
                }
            );

            Assert.True(exitCode == 0, output + errors);
            var report = JsonElement.Parse(
                await File.ReadAllBytesAsync(
                    Path.Combine(folder.FullName, "report.json"),
                    TestContext.Current.CancellationToken
                )
            );
            Assert.Equal(9, report.GetProperty("scenarios").GetArrayLength());
            Assert.Equal(
                report.GetProperty("counted").GetProperty("sent").GetDouble(),
                report.GetProperty("counted").GetProperty("server").GetDouble()
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
