using MinimalMcp.Tests.Container;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Docker;

internal sealed class DockerParity : FamilyCalls
{
    private FakeEngine? _engine;

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("docker_list_containers", """{"all":true}""", null),
        ("docker_list_containers", """{"health":"ill"}""", FailureKind.Arguments),
        ("docker_container_action", """{"action":"start","container":"web"}""", null),
        ("docker_container_action", """{"action":"pause","container":"web"}""", FailureKind.Arguments),
        ("docker_container_action", """{"action":"stop","container":"../web"}""", FailureKind.Tool),
        (
            "docker_run_container",
            """{"image":"redis:7","name":"cache","ports":{"80":0},"environment":{"A":"b"}}""",
            null
        ),
        ("docker_run_container", """{"image":"redis:7","privileged":true}""", FailureKind.Arguments),
        ("docker_run_container", """{"image":"redis:7","volumes":{"/var/run/docker.sock":"/s"}}""", FailureKind.Tool),
        ("docker_list_images", "{}", null),
        ("docker_pull_image", """{"image":"redis:7"}""", null),
        ("docker_container_logs", """{"container":"web","tail":10}""", null),
        ("docker_container_logs", """{"container":"web","tail":"abc"}""", FailureKind.Arguments),
        ("docker_container_inspect", """{"container":"web"}""", null),
        ("docker_container_inspect", """{"container":"nobody"}""", FailureKind.Tool),
        ("docker_list_networks", "{}", null),
        ("docker_list_volumes", "{}", null),
        ("docker_prune", """{"what":"volumes","dry_run":true}""", null),
    ];

    public override async Task<(string Key, string Value)[]> StartAsync()
    {
        _engine = await FakeEngine.StartAsync();
        return [("Docker:Url", _engine.Url)];
    }

    public override async ValueTask DisposeAsync()
    {
        await _engine!.DisposeAsync();
        await base.DisposeAsync();
    }
}
