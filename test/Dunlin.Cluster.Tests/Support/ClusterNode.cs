using Dunlin.TestKit.Servers;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>One node: the shipped host in its own process.</summary>
internal sealed class ClusterNode : DunlinProcess
{
    private readonly string[] _options;

    public ClusterNode(string name, string store, string? redis, string accounts)
        : base(Path.Combine(AppContext.BaseDirectory, "Dunlin.Host.dll"), ServerProcess.FreePort())
    {
        Name = name;
        _options = ["--store", store, .. redis is null ? Array.Empty<string>() : ["--redis", redis]];
        Settings["Dunlin__DemoAccounts"] = accounts;
        // Less compilation, because three runtimes share a small machine.
        Settings["DOTNET_TieredPGO"] = "0";
    }

    public string Name { get; }

    public Task StartAsync() => StartAsync(_options);
}
