using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Worlds.Tests.Nodes;

/// <summary>A node in a process of its own: <see cref="NodeProgram"/>.</summary>
internal sealed class Node : DunlinProcess
{
    private readonly string[] _options;

    /// <param name="options">Options such as <c>--store</c>; none for an SQLite file.</param>
    public Node(params string[] options)
        : base(typeof(Node).Assembly.Location)
    {
        _options = options;
        Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        // The holders of a world are a few users with many requests.
        Settings["Dunlin__Leases__RequestsPerSecond"] = "0";
        Settings["Dunlin__Publish__KeysPerHour"] = "0";
        // Less compilation, because several runtimes share a small machine.
        Settings["DOTNET_TieredPGO"] = "0";
    }

    public Task StartAsync() => StartAsync(_options);

    /// <summary>Kills the process and starts it again.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        await StartAsync();
    }
}
