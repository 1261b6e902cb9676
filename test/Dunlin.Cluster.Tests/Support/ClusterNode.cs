using Dunlin.TestKit.Servers;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>One node: the host as users run it, in a process of its own.</summary>
internal sealed class ClusterNode : DunlinProcess
{
    private readonly string[] _options;

    public ClusterNode(string name, string store, string? redis, string accounts)
        : base(Path.Combine(AppContext.BaseDirectory, "Dunlin.Host.dll"), ServerProcess.FreePort())
    {
        Name = name;
        _options = ["--store", store, .. redis is null ? Array.Empty<string>() : ["--redis", redis]];
        Settings["Dunlin__DemoAccounts"] = accounts;
        // Three runtimes on a small machine: what they compile should not take the time of what is tested.
        Settings["DOTNET_TieredPGO"] = "0";
    }

    public string Name { get; }

    public Task StartAsync() => StartAsync(_options);
}
