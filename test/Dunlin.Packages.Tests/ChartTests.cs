using Dunlin.Packages.Tests.Support;
using Dunlin.TestKit;
using k8s;
using k8s.Models;

namespace Dunlin.Packages.Tests;

/// <summary>The Helm chart, rendered with the template engine of Helm, and read strictly as the types of Kubernetes.</summary>
public sealed class ChartTests(ChartTests.Renderer renderer) : IClassFixture<ChartTests.Renderer>
{
    [Fact]
    public async Task Sqlite_has_one_pod_with_a_volume()
    {
        var objects = await renderer.RenderAsync("{}");
        Assert.Equal(["Service", "StatefulSet"], Kinds(objects));
        var set = objects.OfType<V1StatefulSet>().Single();
        Assert.Equal((1, "events-dunlin"), (set.Spec.Replicas, set.Spec.ServiceName));
        Assert.Equal("10Gi", set.Spec.VolumeClaimTemplates.Single().Spec.Resources.Requests["storage"].ToString());
        var pod = set.Spec.Template.Spec;
        Assert.Equal(["data", "tmp"], pod.Containers.Single().VolumeMounts.Select(mount => mount.Name));
        Assert.Equal($"dunlin-server:{Packed.Version}", pod.Containers.Single().Image);
        Assert.Equal(set.Spec.Selector.MatchLabels, objects.OfType<V1Service>().Single().Spec.Selector);
    }

    [Fact]
    public async Task Postgres_has_several_pods_that_drain_one_by_one()
    {
        var objects = await renderer.RenderAsync(
            """
            replicas: 3
            store: { existingSecret: db, redis: "cache:6379" }
            tokens: { existingSecret: keys }
            settings: { Dunlin__Retention__MaxAge: "1.00:00:00" }
            metrics: { enabled: true }
            podAnnotations: { team: seven }
            nodeSelector: { disk: fast }
            ingress: { enabled: true, host: events.example.org, tlsSecret: tls }
            """
        );
        Assert.Equal(["Deployment", "Ingress", "PodDisruptionBudget", "Service"], Kinds(objects));
        var deployment = objects.OfType<V1Deployment>().Single();
        Assert.Equal(3, deployment.Spec.Replicas);
        Assert.Equal("0", deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
        Assert.Equal("1", objects.OfType<V1PodDisruptionBudget>().Single().Spec.MaxUnavailable.Value);
        Assert.Equal(deployment.Spec.Selector.MatchLabels, objects.OfType<V1PodDisruptionBudget>().Single().Spec.Selector.MatchLabels);

        var container = deployment.Spec.Template.Spec.Containers.Single();
        Assert.Equal("/healthz/ready", container.ReadinessProbe.HttpGet.Path);
        Assert.Equal("/healthz/live", container.LivenessProbe.HttpGet.Path);
        Assert.Equal(5, container.Lifecycle.PreStop.Sleep.Seconds);
        Assert.True(deployment.Spec.Template.Spec.TerminationGracePeriodSeconds >= 45);
        var values = container.Env.ToDictionary(variable => variable.Name, variable => variable.Value ?? Key(variable));
        Assert.Equal(("db", "keys"), (values["Dunlin__Store"], values["Dunlin__Tokens__SigningKey"]));
        Assert.Equal(("cache:6379", "1.00:00:00"), (values["Dunlin__Redis"], values["Dunlin__Retention__MaxAge"]));
        Assert.Equal("off", objects.OfType<V1Ingress>().Single().Metadata.Annotations["nginx.ingress.kubernetes.io/proxy-buffering"]);
    }

    [Theory]
    [InlineData("replicas: 2", "several pods need PostgreSQL")]
    [InlineData("store: { redis: 'cache:6379' }", "store.redis needs PostgreSQL")]
    [InlineData("ingress: { enabled: true }", "set the host name of the server")]
    public async Task Values_that_cannot_work_are_refused_with_the_reason(string values, string reason) =>
        Assert.Contains(reason, await renderer.RefusedAsync(values), StringComparison.Ordinal);

    /// <summary>The server refuses unknown settings, so it checks those of the chart.</summary>
    [Fact]
    public async Task The_server_knows_the_settings_of_the_chart()
    {
        var objects = await renderer.RenderAsync(
            "{ ingress: { enabled: true, host: a.example.org }, metrics: { enabled: true }, tokens: { existingSecret: keys } }"
        );
        var environment = objects
            .OfType<V1StatefulSet>()
            .Single()
            .Spec.Template.Spec.Containers.Single()
            .Env.Select(variable => $"{variable.Name}='{variable.Value ?? Convert.ToBase64String(new byte[64])}'");
        await using var workspace = new Workspace();
        await workspace.RunAsync($"tar -xzf packages/dunlin-{Packed.Version}-linux-*.tar.gz --strip-components=1");
        Assert.Contains(
            "The configuration can be used: http://0.0.0.0:5090",
            await workspace.RunAsync($"env {string.Join(' ', environment)} ./dunlin check"),
            StringComparison.Ordinal
        );
    }

    private static IEnumerable<string> Kinds(IEnumerable<object> objects) =>
        objects.OfType<IKubernetesObject>().Select(item => item.Kind).Order(StringComparer.Ordinal);

    private static string Key(V1EnvVar variable)
    {
        Assert.Equal(variable.Name, variable.ValueFrom.SecretKeyRef.Key);
        return variable.ValueFrom.SecretKeyRef.Name;
    }

    /// <summary>Builds the renderer once.</summary>
    public sealed class Renderer : IAsyncLifetime
    {
        private readonly Workspace _workspace = new();

        public async ValueTask InitializeAsync()
        {
            await _workspace.RunAsync($"tar -xzf packages/dunlin-{Packed.Version}.tgz");
            _workspace.Settings["GO111MODULE"] = "off";
            _workspace.Settings["GOPATH"] = "/usr/share/gocode"; // Debian's packages of Go libraries
            _workspace.Settings["GOCACHE"] = Path.Combine(Repository.Root, "artifacts/cache/go");
            await _workspace.RunAsync($"go build -o render '{Repository.Root}/test/chart/render.go'");
        }

        public ValueTask DisposeAsync() => _workspace.DisposeAsync();

        internal async Task<List<object>> RenderAsync(string values)
        {
            await _workspace.WriteAsync("values.yaml", values);
            return KubernetesYaml.LoadAllFromString(await _workspace.RunAsync("./render dunlin values.yaml"), strict: true);
        }

        internal async Task<string> RefusedAsync(string values)
        {
            await _workspace.WriteAsync("values.yaml", values);
            var (code, output) = await _workspace.TryAsync("./render dunlin values.yaml");
            Assert.Equal(1, code);
            return output;
        }
    }
}
