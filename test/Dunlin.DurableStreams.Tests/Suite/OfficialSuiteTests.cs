using Dunlin.DurableStreams.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.DurableStreams.Tests.Suite;

/// <summary>The official suite of the protocol against the real server, with tokens.</summary>
public sealed class OfficialSuiteTests
{
    private const int Tests = 338;

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
        // Receivers see one server: webhooks of both nodes name its address.
        second.Settings["Dunlin__DurableStreams__PublicUrl"] = first.Address.ToString().TrimEnd('/');
        await second.StartAsync("--store", database.ConnectionString);
        Assert.Equal(Tests, await SuiteRun.RunAsync(await SuiteRun.TokenAsync(first), first, second));
    }
}
