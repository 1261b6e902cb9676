using Dapper;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;

namespace Dunlin.Postgres.Tests.Journal;

/// <summary>Just-in-time compilation of the statements that read pages.</summary>
public sealed class PageJitTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_of_patterns_are_not_compiled()
    {
        await using var server = await PostgresServer.StartNewAsync(isDurable: false, "shared_preload_libraries=pg_stat_statements");
        await using var backend = await Backend.NewAsync(server);
        var node = await backend.OpenAsync();
        await node.AppendAsync(Backend.Draft("a/b"), Cancellation);
        await Database.ExecuteAsync(backend.ConnectionString, "CREATE EXTENSION pg_stat_statements");
        // From now on the server compiles each statement whose session does not forbid it, as it does with expensive ones.
        await Database.ExecuteAsync(backend.ConnectionString, "ALTER SYSTEM SET jit_above_cost = 0");
        await Database.ExecuteAsync(backend.ConnectionString, "SELECT pg_reload_conf()");
        while (await CompiledAsync(backend, "%own_probe%") == 0)
            await Database.ExecuteAsync(backend.ConnectionString, "SELECT count(*) AS own_probe FROM dunlin_journal");

        var page = await node.ReadAsync(new JournalQuery(0, []) { Patterns = [TopicPattern.Parse("a/*")] }, Cancellation);

        Assert.Single(page.Events);
        Assert.Equal(1, await NumberAsync(backend, "sum(calls)", "%wanted_topics AS MATERIALIZED%"));
        Assert.Equal(0, await CompiledAsync(backend, "%wanted_topics AS MATERIALIZED%"));
        // The pooled session of the node compiles again: the setting ended with the page.
        await node.ReadAsync(
            async (scope, ct) => await scope.Connection.ExecuteScalarAsync<long>("SELECT sum(topic) AS session_probe FROM dunlin_journal"),
            Cancellation
        );
        Assert.NotEqual(0, await CompiledAsync(backend, "%session_probe%"));
    }

    private static Task<long> CompiledAsync(Backend backend, string statement) => NumberAsync(backend, "sum(jit_functions)", statement);

    private static Task<long> NumberAsync(Backend backend, string number, string statement) =>
        Database.ScalarAsync<long>(
            backend.ConnectionString,
            $"SELECT coalesce({number}, 0)::BIGINT FROM pg_stat_statements WHERE query LIKE '{statement}' AND query NOT LIKE '%pg_stat_statements%'"
        );
}
