using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MinimalMcp.Tools;
using MinimalMcp.Tools.Status;

namespace MinimalMcp.Tests.Tools.Status;

/// <summary>What the model is told about the systems behind the tools, whichever families there are.</summary>
public sealed class StatusTests
{
    [Fact]
    public async Task It_says_of_each_system_what_its_health_check_says_and_which_are_not_configured()
    {
        await using var server = TestServer.Start(services =>
        {
            Families.TakeOut(services);
            services
                .AddHealthChecks()
                .AddCheck("up", () =>
                    HealthCheckResult.Healthy(
                        data: new Dictionary<string, object> { ["authorised"] = true, ["version"] = "1.2" }
                    )
                )
                .AddCheck("refuses", () =>
                    HealthCheckResult.Degraded(
                        "The key is wrong.",
                        data: new Dictionary<string, object> { ["authorised"] = false }
                    )
                )
                .AddCheck("down", () => HealthCheckResult.Unhealthy("It does not answer."));
            services
                .AddSingleton(new UnconfiguredFamily("jira", "Jira"))
                .AddSingleton<StatusTools>()
                .AddSingleton(new ToolType(typeof(StatusTools)));
        });

        var systems = (await server.CallAsync("system_status")).GetProperty("systems").GetRawText();

        Assert.Equal(
            """[{"name":"up","configured":true,"reachable":true,"authorised":true,"version":"1.2"},"""
                + """{"name":"refuses","configured":true,"reachable":true,"authorised":false,"detail":"The key """
                + """is wrong."},"""
                + """{"name":"down","configured":true,"reachable":false,"detail":"It does not answer."},"""
                + """{"name":"jira","configured":false,"detail":"Set Jira:Url to enable it."}]""",
            systems
        );
    }

    [Fact]
    public async Task It_reports_each_system_to_a_client_that_asks_for_progress()
    {
        await using var server = TestServer.Start(services =>
        {
            Families.TakeOut(services);
            services
                .AddHealthChecks()
                .AddCheck("up", () => HealthCheckResult.Healthy())
                .AddCheck("down", () => HealthCheckResult.Unhealthy());
            services.AddSingleton<StatusTools>().AddSingleton(new ToolType(typeof(StatusTools)));
        });

        var (steps, result) = await server.CallWithProgressAsync("system_status", new { });

        Assert.Equal((string[])["1 of 2", "2 of 2"], steps.Select(step => step.Count));
        Assert.Equal((string[])["Checked down", "Checked up"], steps.Select(step => step.Message).Order());
        Assert.Equal(2, result.GetProperty("structuredContent").GetProperty("systems").GetArrayLength());
    }

    [Fact]
    public void It_is_a_tool_only_where_there_is_a_system_to_speak_of()
    {
        var configuration = new ConfigurationBuilder().Build();

        Assert.DoesNotContain(new ServiceCollection().AddStatus(configuration), service =>
            service.ServiceType == typeof(StatusTools)
        );

        var services = new ServiceCollection();
        services.AddHealthChecks();
        Assert.Contains(services.AddStatus(configuration), service => service.ServiceType == typeof(StatusTools));
    }
}
