using k8s;
using k8s.Models;
using MinimalMcp.Configuration;
using MinimalMcp.Tests.Clients;
using YamlDotNet.Serialization;

namespace MinimalMcp.Tests.Container;

/// <summary>
/// deploy/kubernetes, held against the published API of Kubernetes (its generated types, which refuse unknown fields)
/// and against the server.
/// </summary>
public sealed class KubernetesTests
{
    private static readonly string Folder = Path.Combine(ClientProcess.Root, "deploy", "kubernetes");

    private static readonly Dictionary<string, Type> Kinds = new()
    {
        ["v1/Namespace"] = typeof(V1Namespace),
        ["v1/Service"] = typeof(V1Service),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["apps/v1/StatefulSet"] = typeof(V1StatefulSet),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
        ["networking.k8s.io/v1/Ingress"] = typeof(V1Ingress),
    };

    private static readonly IReadOnlyList<object> Objects =
    [
        .. Kustomization<List<object>>("resources")
            .SelectMany(file =>
                KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(Folder, $"{file}")), Kinds, strict: true)
            ),
    ];

    [Fact]
    public void It_has_replicas_probes_a_disruption_budget_and_PostgreSQL()
    {
        var server = Assert.Single(Objects.OfType<V1Deployment>());
        var database = Assert.Single(Objects.OfType<V1StatefulSet>());
        var budget = Assert.Single(Objects.OfType<V1PodDisruptionBudget>());

        Assert.True(server.Spec.Replicas > 1);
        Assert.Equal(server.Spec.Template.Metadata.Labels, budget.Spec.Selector.MatchLabels);
        Assert.Matches(@"^postgres:\d+\.\d+$", database.Spec.Template.Spec.Containers[0].Image);
        Assert.All(Containers(), container =>
        {
            Assert.NotNull(container.StartupProbe);
            Assert.NotNull(container.LivenessProbe);
            Assert.NotNull(container.ReadinessProbe);
        });
    }

    [Fact]
    public async Task The_probes_ask_what_the_server_answers()
    {
        await using var server = TestServer.Start();
        var container = Assert.Single(Objects.OfType<V1Deployment>()).Spec.Template.Spec.Containers[0];

        foreach (var probe in (V1Probe[])[container.StartupProbe, container.LivenessProbe, container.ReadinessProbe])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, probe.HttpGet.Path);
            var header = Assert.Single(probe.HttpGet.HttpHeaders);
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
            using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, probe.HttpGet.Path);
        }
    }

    [Fact]
    public void What_selects_a_pod_finds_one()
    {
        IDictionary<string, string>[] pods =
        [
            .. Objects.OfType<V1Deployment>().Select(one => one.Spec.Template.Metadata.Labels),
            .. Objects.OfType<V1StatefulSet>().Select(one => one.Spec.Template.Metadata.Labels),
        ];
        var selectors = Objects
            .OfType<V1Service>()
            .Select(service => service.Spec.Selector)
            .Concat(Objects.OfType<V1NetworkPolicy>().Select(policy => policy.Spec.PodSelector.MatchLabels));

        Assert.All(selectors, selector => Assert.Contains(pods, pod => pod.SequenceEqual(selector)));
        var port = Assert.Single(Assert.Single(Objects.OfType<V1Ingress>()).Spec.Rules).Http.Paths[0].Backend.Service;
        Assert.Contains(Objects.OfType<V1Service>(), service =>
            service.Metadata.Name == port.Name && service.Spec.Ports.Any(one => one.Name == port.Port.Name)
        );
    }

    [Fact]
    public void A_container_may_do_little()
    {
        Assert.All(Pods(), pod =>
        {
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.False(pod.AutomountServiceAccountToken);
        });
        Assert.All(Containers(), container =>
        {
            Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
            Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.Contains("memory", container.Resources.Limits.Keys);
        });
    }

    [Fact]
    public void Every_setting_is_one_and_every_secret_is_a_file_that_the_comment_creates()
    {
        var container = Assert.Single(Objects.OfType<V1Deployment>()).Spec.Template.Spec.Containers[0];
        var generators = Kustomization<List<object>>("configMapGenerator");
        var literals = (List<object>)((Dictionary<object, object>)Assert.Single(generators))["literals"];
        var names = literals
            .Select(literal => $"{literal}".Split('=')[0])
            .Concat(container.Env.Select(variable => variable.Name.Replace("_FILE", "")));
        string[] settings = ["Server__KnownProxies", "Server__DrainDelay", "AllowedHosts", "Storage__ConnectionString"];
        Assert.Empty(names.Except(EnvironmentNames.Table.Select(row => row.Name)).Except(settings));

        // No secret is in a variable, where whoever reads the pod finds it.
        var comment = File.ReadAllText(Path.Combine(Folder, "kustomization.yaml"));
        foreach (var pod in Pods())
        {
            var secret = Assert.Single(pod.Volumes, volume => volume.Secret is not null);
            var folder = Assert.Single(pod.Containers[0].VolumeMounts, mount => mount.Name == secret.Name).MountPath;
            var files = pod.Containers[0]
                .Env.Where(variable => variable.Name.EndsWith("_FILE", StringComparison.Ordinal));
            Assert.Equal(
                secret.Secret.Items.Select(item => $"{folder}/{item.Path}").Order(),
                files.Select(file => file.Value).Order()
            );
            Assert.Contains($"create secret generic {secret.Secret.SecretName} ", comment);
            Assert.All(secret.Secret.Items, item => Assert.Contains($"--from-literal={item.Key}=", comment));
        }
    }

    private static IEnumerable<V1PodSpec> Pods() =>
        Objects
            .OfType<V1Deployment>()
            .Select(one => one.Spec.Template.Spec)
            .Concat(Objects.OfType<V1StatefulSet>().Select(one => one.Spec.Template.Spec));

    private static IEnumerable<V1Container> Containers() => Pods().SelectMany(pod => pod.Containers);

    private static T Kustomization<T>(string part) =>
        (T)
            new DeserializerBuilder()
                .Build()
                .Deserialize<Dictionary<string, object>>(File.ReadAllText(Path.Combine(Folder, "kustomization.yaml")))[
                part
            ];
}
