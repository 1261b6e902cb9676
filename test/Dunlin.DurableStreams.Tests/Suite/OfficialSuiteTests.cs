using Dunlin.DurableStreams.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.DurableStreams.Tests.Suite;

/// <summary>The official suite of the protocol against the real server, with tokens. Six tests of subscriptions are off in it.</summary>
public sealed class OfficialSuiteTests
{
    private const int Tests = 332;

    [Fact]
    public async Task Every_test_passes_on_sqlite()
    {
        await using var server = SuiteRun.Server();
        await server.StartAsync();
        Assert.Equal(Tests, await SuiteRun.RunAsync(await SuiteRun.TokenAsync(server), server));
    }

    [Fact]
    public async Task Every_test_passes_on_two_nodes_in_turn()
    {
        await using var database = await PostgresServer.StartNewAsync();
        await using var first = SuiteRun.Server();
        await using var second = SuiteRun.Server();
        await first.StartAsync("--store", database.ConnectionString);
        await second.StartAsync("--store", database.ConnectionString);
        Assert.Equal(Tests, await SuiteRun.RunAsync(await SuiteRun.TokenAsync(first), first, second));
    }
}
