using Dapper;
using Dunlin.Hosting;
using Dunlin.Postgres.Tests.Support;

namespace Dunlin.Postgres.Tests.Schema;

public sealed class MigratorTests : IAsyncLifetime
{
    private Backend _backend = null!;

    public async ValueTask InitializeAsync() => _backend = await Backend.NewAsync();

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Concurrent_nodes_run_each_script_once_in_order_in_their_dialect()
    {
        Register("App");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _backend.OpenAsync()));
        Assert.Equal(["app: 0001_notes.sql", "app: 0002_dialect.postgres.sql", "app: 0003_bytes.sql"], RanScripts());
        Register("Newer");
        await _backend.OpenAsync();
        Assert.Equal("app: 0004_tags.sql", RanScripts()[^1]);
        Assert.Equal(4, RanScripts().Count);
    }

    [Fact]
    public async Task Bytes_round_trip_through_the_portable_column_type()
    {
        Register("App");
        var store = await _backend.OpenAsync();
        byte[] bytes = [0, 1, 255];
        await store.WriteAsync(
            async (unit, _) =>
                await unit.Connection.ExecuteAsync("INSERT INTO picture (id, content) VALUES (1, @bytes)", new { bytes }, unit.Transaction)
        );
        Assert.Equal(
            bytes,
            await store.ReadAsync(async (scope, _) => await scope.Connection.ExecuteScalarAsync<byte[]>("SELECT content FROM picture"))
        );
    }

    [Fact]
    public async Task A_database_newer_than_the_program_is_refused()
    {
        Register("Newer");
        await _backend.OpenAsync();
        Register("App");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync());
        Assert.Contains("newer version", refused.Message, StringComparison.Ordinal);
        Register("Newer");
        await _backend.OpenAsync();
    }

    [Theory]
    [InlineData("Broken", "0001_half.sql", "half", 0)]
    [InlineData("Committing", "0001_early.sql", "early", 1)]
    public async Task A_failing_or_committing_script_is_named_and_the_database_still_opens(
        string folder,
        string script,
        string table,
        int tables
    )
    {
        Register(folder);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync());
        Assert.Contains(script, refused.Message, StringComparison.Ordinal);
        Register("App");
        await _backend.OpenAsync();
        Assert.Equal(
            tables,
            await Database.ScalarAsync<long>(
                _backend.ConnectionString,
                $"SELECT count(*) FROM pg_tables WHERE tablename = '{table}' AND schemaname = current_schema()"
            )
        );
    }

    private void Register(string folder)
    {
        _backend.Schemas.Clear();
        _backend.Schemas.Add(new SchemaScripts("app", typeof(MigratorTests).Assembly, $"Scripts.{folder}."));
    }

    private List<string> RanScripts() =>
        [
            .. _backend
                .Log.Entries.Where(entry => entry.Id == 2010 && entry.Text.Contains("'app'", StringComparison.Ordinal))
                .Select(entry => entry.Text.Replace("Schema 'app': ran ", "app: ", StringComparison.Ordinal).TrimEnd('.')),
        ];
}
