namespace Dunlin.Server.Tests.Support;

/// <summary>A server for all tests of a class that change nothing which another of them looks at.</summary>
public sealed class OneServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
