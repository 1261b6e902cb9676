namespace Dunlin.Server.Tests.Support;

/// <summary>A server for all tests of a class, which must not change state that another test reads.</summary>
public sealed class OneServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
