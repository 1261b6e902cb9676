using Dunlin.Hosting;
using Dunlin.Sqlite.Tests.Support;

namespace Dunlin.Sqlite.Tests.Schema;

public sealed class MigratorTests : IAsyncLifetime
{
    private readonly Backend _backend = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Scripts_run_once_in_order_in_the_dialect_of_the_store()
    {
        Register("App");
        await (await _backend.OpenAsync()).DisposeAsync();
        Assert.Equal(["app: 0001_notes.sql", "app: 0002_dialect.sqlite.sql"], RanScripts());
        await (await _backend.OpenAsync()).DisposeAsync();
        Assert.Equal(2, RanScripts().Count);
        Register("Newer");
        await (await _backend.OpenAsync()).DisposeAsync();
        Assert.Equal("app: 0003_tags.sql", RanScripts()[^1]);
    }

    [Fact]
    public async Task A_database_newer_than_the_program_is_refused()
    {
        Register("Newer");
        await (await _backend.OpenAsync()).DisposeAsync();
        Register("App");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync());
        Assert.Contains("newer version", refused.Message, StringComparison.Ordinal);
        Register("Newer");
        await _backend.OpenAsync();
    }

    [Theory]
    [InlineData("Broken", "0001_half.sql", "half")]
    [InlineData("Committing", "0001_early.sql", "early")]
    public async Task A_failing_or_committing_script_is_named_and_the_file_still_opens(string folder, string script, string table)
    {
        Register(folder);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync());
        Assert.Contains(script, refused.Message, StringComparison.Ordinal);
        Register("App");
        var store = await _backend.OpenAsync();
        var tables = await store.ReadAsync(
            (scope, _) =>
            {
                using var command = scope.Connection.CreateCommand();
                command.CommandText = $"SELECT count(*) FROM sqlite_master WHERE name = '{table}'";
                return new ValueTask<long>((long)command.ExecuteScalar()!);
            }
        );
        Assert.Equal(folder == "Broken" ? 0 : 1, tables);
    }

    private void Register(string folder)
    {
        _backend.Schemas.Clear();
        _backend.Schemas.Add(new SchemaScripts("app", typeof(MigratorTests).Assembly, $"Scripts.{folder}."));
    }

    private List<string> RanScripts() =>
        [
            .. _backend
                .Log.Entries.Where(e => e.Id == 2010 && e.Text.Contains("'app'", StringComparison.Ordinal))
                .Select(e => e.Text.Replace("Schema 'app': ran ", "app: ", StringComparison.Ordinal).TrimEnd('.')),
        ];
}
