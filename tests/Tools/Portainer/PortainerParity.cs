using MinimalMcp.Tests.Container;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Portainer;

internal sealed class PortainerParity : FamilyCalls
{
    private FakeEngine? _portainer;

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("portainer_list_environments", "{}", null),
        ("portainer_list_containers", "{}", null),
        ("portainer_list_containers", """{"endpoint_id":"3","health":"unhealthy"}""", null),
        ("portainer_list_containers", """{"endpointId":3}""", FailureKind.Arguments),
        ("portainer_start_container", """{"container_id":"web"}""", null),
        ("portainer_start_container", "{}", FailureKind.Arguments),
        ("portainer_stop_container", """{"endpoint_id":3,"container_id":"web"}""", null),
        ("portainer_restart_container", """{"container_id":"web"}""", null),
        ("portainer_get_container_logs", """{"container_id":"web","tail":5,"stream":"both"}""", null),
        ("portainer_get_container_logs", """{"container_id":"web","follow":true}""", FailureKind.Arguments),
        ("portainer_get_container_logs", """{"container_id":"web","since":"soon"}""", FailureKind.Tool),
        ("portainer_inspect_container", """{"container_id":"web"}""", null),
        ("portainer_inspect_container", """{"container_id":"nobody"}""", FailureKind.Tool),
        ("portainer_container_stats", """{"container_id":"web"}""", null),
        ("portainer_list_images", "{}", null),
        ("portainer_list_volumes", "{}", null),
        ("portainer_list_networks", "{}", null),
        ("portainer_list_stacks", "{}", null),
        ("portainer_get_stack", """{"stack_id":12,"include_file":true}""", null),
        ("portainer_get_stack", """{"stack_id":0}""", FailureKind.Arguments),
        ("portainer_stop_stack", """{"stack_id":12}""", null),
        ("portainer_start_stack", """{"stack_id":13}""", null),
    ];

    public override async Task<(string Key, string Value)[]> StartAsync()
    {
        _portainer = await FakeEngine.StartAsync();
        return [("Portainer:Url", _portainer.Url), ("Portainer:Token", FakeEngine.Key)];
    }

    public override async ValueTask DisposeAsync()
    {
        await _portainer!.DisposeAsync();
        await base.DisposeAsync();
    }
}
