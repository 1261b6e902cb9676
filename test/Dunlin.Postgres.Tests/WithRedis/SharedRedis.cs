using Dunlin.Postgres.Tests.WithRedis;
using Dunlin.TestKit.Servers;

[assembly: AssemblyFixture(typeof(SharedRedis))]

namespace Dunlin.Postgres.Tests.WithRedis;

/// <summary>The Redis of this test run. Every test has its own channel; tests that stop Redis start another.</summary>
public sealed class SharedRedis : IAsyncLifetime
{
    private static SharedRedis? _current;
    private static int _channels;

    private RedisServer? _server;

    public static string Endpoint => _current!._server!.Endpoint;

    public static string NewChannel() => $"test-{Interlocked.Increment(ref _channels)}";

    public async ValueTask InitializeAsync()
    {
        _server = await RedisServer.StartNewAsync();
        _current = this;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
