using System.Text;
using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Outbox;
using Dunlin.TestKit;
using Npgsql;

namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>A store with the SQL functions, and a schema for tables that a test watches.</summary>
/// <remarks>In statements, <c>dunlin.</c> stands for the schema of the functions.</remarks>
internal sealed class WatchHost : IAsyncDisposable
{
    public const string Orders = "CREATE TABLE orders (id INT PRIMARY KEY, status TEXT, total NUMERIC)";

    private readonly Backend _backend;
    private readonly string _schema;

    private WatchHost(Backend backend, string schema, PostgresStore store)
    {
        (_backend, _schema, Store) = (backend, schema, store);
        Outbox = new StoreOutbox(store, new TestLog().For<StoreOutbox>());
    }

    public PostgresStore Store { get; }

    public StoreOutbox Outbox { get; }

    public string Schema => _schema;

    public string ConnectionString => _backend.ConnectionString;

    public static async Task<WatchHost> StartAsync()
    {
        var backend = await Backend.NewAsync();
        var schema = new NpgsqlConnectionStringBuilder(backend.ConnectionString).SearchPath + "_sql";
        return new WatchHost(backend, schema, await backend.OpenAsync(options => options.SqlSchema = schema));
    }

    public string Sql(string text) => text.Replace("dunlin.", _schema + ".", StringComparison.Ordinal);

    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Backend.Cancellation);
        return connection;
    }

    /// <summary>Runs statements in one transaction.</summary>
    public Task ExecuteAsync(string sql) => Database.ExecuteAsync(ConnectionString, Sql(sql));

    /// <summary>Runs each statement in a transaction of its own, on one connection.</summary>
    public async Task RunEachAsync(params string[] statements)
    {
        await using var connection = await ConnectAsync();
        foreach (var statement in statements)
            await RunAsync(connection, statement);
    }

    public async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(Sql(sql), connection);
        await command.ExecuteNonQueryAsync(Backend.Cancellation);
    }

    public Task<T> ScalarAsync<T>(string sql) => Database.ScalarAsync<T>(ConnectionString, Sql(sql));

    public Task<PostgresException> RefusedAsync(string sql) => Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(sql));

    /// <summary>Moves the events and returns those after an offset.</summary>
    public async Task<List<DunlinEvent>> EventsAsync(long after = 0)
    {
        await Outbox.FlushAsync(Backend.Cancellation);
        return await Backend.ReadAllAsync(Store, after);
    }

    /// <summary>Returns the events as <c>topic type data</c>, where types have no prefix.</summary>
    public async Task<string[]> TextsAsync() => [.. (await EventsAsync()).Select(Text)];

    public static string Text(DunlinEvent entry) =>
        $"{entry.Topic} {entry.Type[(entry.Type.IndexOf('.', StringComparison.Ordinal) + 1)..]} {Encoding.UTF8.GetString(entry.Data.Span)}";

    /// <summary>Returns the rows that a reader of the events has, by topic and key.</summary>
    public static SortedDictionary<string, string> Replay(IEnumerable<DunlinEvent> events)
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in events)
        {
            using var data = JsonDocument.Parse(entry.Data);
            var name = $"{entry.Topic} {data.RootElement.GetProperty("key")}";
            if (entry.Type.EndsWith(".deleted", StringComparison.Ordinal))
                rows.Remove(name);
            else
                rows[name] = data.RootElement.GetProperty("new").ToString();
        }
        return rows;
    }

    /// <summary>Returns the rows of a table as <see cref="Replay"/>.</summary>
    /// <param name="topic">An expression for the topic.</param>
    /// <param name="key">An expression for the key.</param>
    /// <param name="from">The table.</param>
    public async Task<SortedDictionary<string, string>> RowsAsync(string topic, string key, string from)
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(
            $"SET timezone = 'UTC'; SELECT {topic}, {key}, row_to_json(t)::text FROM {from} AS t",
            connection
        );
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
            rows[$"{row.GetString(0)} {row.GetString(1)}"] = row.GetString(2);
        return rows;
    }

    /// <summary>Completes when a server process waits for a lock.</summary>
    public async Task WhenBlockedAsync(NpgsqlConnection connection)
    {
        while (await ScalarAsync<int>($"SELECT cardinality(pg_blocking_pids({connection.ProcessID}))") == 0)
            Backend.Cancellation.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        Outbox.Dispose();
        await _backend.DisposeAsync();
    }
}
