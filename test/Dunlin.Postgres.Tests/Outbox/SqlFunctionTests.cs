using System.Text;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Outbox;
using Dunlin.TestKit;
using Dunlin.Topics;
using Npgsql;

namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>The functions of the script, called by SQL.</summary>
public sealed class SqlFunctionTests : IAsyncLifetime
{
    private static readonly ResourceName Resource = ResourceName.Parse("rows/1");

    private Backend _backend = null!;
    private PostgresStore _store = null!;
    private StoreOutbox _outbox = null!;
    private string _schema = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.NewAsync();
        _schema = new NpgsqlConnectionStringBuilder(_backend.ConnectionString).SearchPath + "_sql";
        _store = await _backend.OpenAsync(options => options.SqlSchema = _schema);
        _outbox = new StoreOutbox(_store, new TestLog().For<StoreOutbox>());
    }

    public async ValueTask DisposeAsync()
    {
        _outbox.Dispose();
        await _backend.DisposeAsync();
    }

    [Fact]
    public async Task Publish_appends_the_event_of_a_committed_transaction()
    {
        await using var connection = await ConnectAsync();
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            Assert.True(await PublishAsync(connection, "branches/1", "case.updated", "{\"n\": 1}"));
            await transaction.CommitAsync(Cancellation);
        }
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await PublishAsync(connection, "branches/1", "case.updated", "{\"n\": 2}");
            await transaction.RollbackAsync(Cancellation);
        }
        await PublishAsync(connection, "branches/1", "case.closed", null);
        var head = await _outbox.FlushAsync(Cancellation);
        var events = await Backend.ReadAllAsync(_store);
        Assert.Equal(
            ["case.updated {\"n\": 1}", "case.closed null"],
            events.Select(e => $"{e.Type} {Encoding.UTF8.GetString(e.Data.Span)}")
        );
        Assert.Equal(head.ToString(), await ScalarAsync<string>(connection, $"SELECT {_schema}.head()"));
    }

    [Theory]
    [InlineData("no//name", "x", "1", "22023", "invalid_topic")]
    [InlineData("", "x", "1", "22023", "invalid_topic")]
    [InlineData("a/ü", "x", "1", "22023", "invalid_topic")]
    [InlineData("#text", "x", "1", "22023", "invalid_topic")]
    [InlineData("dunlin/access", "x", "1", "42501", "forbidden")]
    [InlineData("dunlin", "x", "1", "42501", "forbidden")]
    [InlineData("a\n", "x", "1", "22023", "invalid_topic")]
    [InlineData("a", "x\n", "1", "22023", "invalid_field")]
    [InlineData("a", "has space", "1", "22023", "invalid_field")]
    [InlineData("a", "lease.granted", "1", "22023", "invalid_field")]
    [InlineData("a", "error", "1", "22023", "invalid_field")]
    [InlineData("a", "x", "large", "54000", "too_large")]
    public async Task An_invalid_event_is_refused_with_a_hint(string topic, string type, string data, string state, string code)
    {
        await using var connection = await ConnectAsync();
        var json = data == "large" ? $"\"{new string('x', 1024 * 1024)}\"" : data;
        var error = await Assert.ThrowsAsync<PostgresException>(() => PublishAsync(connection, topic, type, json));
        Assert.Equal((state, code), (error.SqlState, error.Detail));
        Assert.False(string.IsNullOrEmpty(error.Hint));
        Assert.Equal(0, (await _outbox.FlushAsync(Cancellation)).Offset);
    }

    [Fact]
    public async Task Publish_accepts_the_names_that_the_engine_accepts()
    {
        await using var connection = await ConnectAsync();
        string[] topics = ["A-z.9_~:@|+=!$%/b", new string('x', 200), "dunlins/1", "a"];
        foreach (var topic in topics)
            await PublishAsync(connection, topic, new string('~', 100), "1");
        await _outbox.FlushAsync(Cancellation);
        Assert.Equal(topics, (await Backend.ReadAllAsync(_store)).Select(e => e.Topic.Value));
    }

    [Fact]
    public async Task A_repeated_key_publishes_once_and_refuses_other_content()
    {
        await using var connection = await ConnectAsync();
        Assert.True(await PublishAsync(connection, "a", "x", "1", "key"));
        Assert.False(await PublishAsync(connection, "a", "x", "1", "key"));
        var error = await Assert.ThrowsAsync<PostgresException>(() => PublishAsync(connection, "a", "x", "2", "key"));
        Assert.Equal(("23505", "idempotency_key_reused"), (error.SqlState, error.Detail));
        error = await Assert.ThrowsAsync<PostgresException>(() => PublishAsync(connection, "a", "x", "2", ""));
        Assert.Equal("22023", error.SqlState);
        Assert.Equal(1, (await _outbox.FlushAsync(Cancellation)).Offset);
        Assert.False(await PublishAsync(connection, "a", "x", "1", "key"));
        // A key of an HTTP request is another key.
        await _store.AppendAsync([Backend.Draft("a", 3)], new IdempotencyKey("postgres", "key"), Cancellation);
    }

    [Fact]
    public async Task A_key_of_a_rolled_back_transaction_is_free_again()
    {
        await using var first = await ConnectAsync();
        await using var second = await ConnectAsync();
        await using var transaction = await first.BeginTransactionAsync(Cancellation);
        Assert.True(await PublishAsync(first, "a", "x", "1", "key"));
        var waiting = PublishAsync(second, "a", "x", "1", "key");
        var sql = $"SELECT cardinality(pg_blocking_pids({second.ProcessID}))";
        while (await Database.ScalarAsync<int>(_backend.ConnectionString, sql) == 0)
            Cancellation.ThrowIfCancellationRequested();
        await transaction.RollbackAsync(Cancellation);
        Assert.True(await waiting);
        Assert.Equal(1, (await _outbox.FlushAsync(Cancellation)).Offset);
    }

    [Fact]
    public async Task Roles_need_execute_and_then_a_row_for_the_topic()
    {
        var role = $"app_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {role}");
        await using var connection = await ConnectAsync();
        await RunAsync(connection, $"SET ROLE {role}");
        Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => PublishAsync(connection, "a/1", "x", "1"))).SqlState);
        await ExecuteAsync($"GRANT USAGE ON SCHEMA {_schema} TO {role}");
        Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => PublishAsync(connection, "a/1", "x", "1"))).SqlState);
        await ExecuteAsync($"GRANT EXECUTE ON FUNCTION {_schema}.publish TO {role}");
        Assert.True(await PublishAsync(connection, "a/1", "x", "1"));

        await ExecuteAsync($"INSERT INTO {_schema}.publisher VALUES ('{role}', 'b/*'), ('gone', '**')");
        var error = await Assert.ThrowsAsync<PostgresException>(() => PublishAsync(connection, "a/1", "x", "1"));
        Assert.Equal(("42501", "forbidden"), (error.SqlState, error.Detail));
        Assert.True(await PublishAsync(connection, "b/1", "x", "1"));
        await Assert.ThrowsAsync<PostgresException>(() => PublishAsync(connection, "b/1/2", "x", "1"));

        // Installing again keeps the rights.
        await _store.InstallSqlAsync(_schema, Cancellation);
        Assert.True(await PublishAsync(connection, "b/2", "x", "1"));
        foreach (var table in (string[])["publisher", "lease_claim"])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(connection, $"SELECT * FROM {_schema}.{table}"));
            Assert.Equal("42501", refused.SqlState);
        }
        await RunAsync(connection, "RESET ROLE");
        await ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
    }

    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/*", true)]
    [InlineData("a/b/c", "a/*", false)]
    [InlineData("a/b/c", "a/**", true)]
    [InlineData("a", "a/**", false)]
    [InlineData("a/b", "**", true)]
    [InlineData("a/x/c", "a/*/c", true)]
    [InlineData("axc", "a.c", false)]
    [InlineData("a|b+$", "a|b+$", true)]
    [InlineData("b", "a|b", false)]
    public async Task Patterns_match_as_in_the_engine(string topic, string pattern, bool expected)
    {
        await using var connection = await ConnectAsync();
        Assert.Equal(expected, await ScalarAsync<bool>(connection, $"SELECT {_schema}.topic_matches('{topic}', '{pattern}')"));
        Assert.Equal(expected, TopicPattern.Parse(pattern).Covers(topic));
    }

    [Fact]
    public async Task A_held_lease_lets_the_transaction_commit()
    {
        await SaveLeaseAsync(TimeSpan.FromMinutes(5));
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RequireAsync(connection, "lease-1", "ann", 7);
        await RequireAsync(connection, "lease-1", "ann", null);
        await PublishAsync(connection, "a", "x", "1");
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(1, (await _outbox.FlushAsync(Cancellation)).Offset);
        Assert.Equal(0, await ScalarAsync<long>(connection, $"SELECT count(*) FROM {_schema}.lease_claim"));
    }

    [Theory]
    [InlineData("lease-2", "ann", 7)]
    [InlineData("lease-1", "bob", 7)]
    [InlineData("lease-1", "ann", 6)]
    public async Task A_claim_of_another_lease_is_refused(string lease, string user, int token)
    {
        await SaveLeaseAsync(TimeSpan.FromMinutes(5));
        await using var connection = await ConnectAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() => RequireAsync(connection, lease, user, token));
        Assert.Equal(("55000", "lease_lost"), (error.SqlState, error.Detail));
        Assert.Contains("Acquire", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_or_missing_lease_is_refused()
    {
        await using var connection = await ConnectAsync();
        Assert.Equal("55000", (await Assert.ThrowsAsync<PostgresException>(() => RequireAsync(connection, "lease-1", "ann", 7))).SqlState);
        await SaveLeaseAsync(TimeSpan.FromSeconds(-1));
        var error = await Assert.ThrowsAsync<PostgresException>(() => RequireAsync(connection, "lease-1", "ann", 7));
        Assert.Contains("expired", error.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_that_is_lost_before_the_commit_rolls_it_back()
    {
        await SaveLeaseAsync(TimeSpan.FromMinutes(5));
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RequireAsync(connection, "lease-1", "ann", 7);
        await PublishAsync(connection, "a", "x", "1");
        // The open transaction holds no lock on the lease, so another user takes it at once.
        await SaveLeaseAsync(TimeSpan.FromMinutes(5), "lease-2", "bob", 8);
        var error = await Assert.ThrowsAsync<PostgresException>(() => transaction.CommitAsync(Cancellation));
        Assert.Equal("55000", error.SqlState);
        Assert.Equal(0, (await _outbox.FlushAsync(Cancellation)).Offset);
    }

    [Fact]
    public async Task The_functions_of_another_store_are_not_replaced()
    {
        await using var other = await Backend.NewAsync();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => other.OpenAsync(options => options.SqlSchema = _schema));
        Assert.Contains("another schema", refused.Message, StringComparison.Ordinal);
        var own = new NpgsqlConnectionStringBuilder(other.ConnectionString).SearchPath!;
        refused = await Assert.ThrowsAsync<InvalidOperationException>(() => other.OpenAsync(options => options.SqlSchema = own));
        Assert.Contains("schema of the store", refused.Message, StringComparison.Ordinal);
        await using var connection = await ConnectAsync();
        Assert.True(await PublishAsync(connection, "a", "x", "1"));
        Assert.Equal(1, (await _outbox.FlushAsync(Cancellation)).Offset);
    }

    [Fact]
    public async Task A_role_without_rights_gets_a_clear_error_at_the_start()
    {
        var role = $"node_{Guid.NewGuid():N}";
        var schema = new NpgsqlConnectionStringBuilder(_backend.ConnectionString).SearchPath;
        await ExecuteAsync(
            $"CREATE ROLE {role} LOGIN PASSWORD 'node'; GRANT ALL ON SCHEMA {schema} TO {role}; "
                + $"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
        );
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _backend.OpenAsync(options =>
            {
                options.SqlSchema = _schema;
                options.ConnectionString = new NpgsqlConnectionStringBuilder(_backend.ConnectionString)
                {
                    Options = $"-c role={role}",
                }.ConnectionString;
            })
        );
        Assert.Contains("dunlin sql install", refused.Message, StringComparison.Ordinal);
        await ExecuteAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
    }

    private async Task SaveLeaseAsync(TimeSpan left, string lease = "lease-1", string user = "ann", int token = 7) =>
        await _store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.LeaseTable.SaveAsync(
                    new LeaseRow(Resource)
                    {
                        FencingToken = token,
                        LeaseId = lease,
                        Owner = new LeaseOwner(user, user, null, null, null),
                        AcquiredAt = unit.Now,
                        ExpiresAt = unit.Now + left,
                        Seconds = 300,
                    },
                    ct
                );
                return true;
            },
            Cancellation
        );

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_backend.ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private async Task<bool> PublishAsync(NpgsqlConnection connection, string topic, string type, string? data, string? key = null)
    {
        await using var command = new NpgsqlCommand($"SELECT {_schema}.publish($1, $2, $3::jsonb, $4::text)", connection);
        foreach (var value in (string?[])[topic, type, data, key])
            command.Parameters.Add(
                new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text, Value = (object?)value ?? DBNull.Value }
            );
        return (bool)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task RequireAsync(NpgsqlConnection connection, string lease, string user, int? token)
    {
        var number = token?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "NULL";
        await RunAsync(connection, $"SELECT {_schema}.require_lease('{Resource}', '{lease}', '{user}', {number})");
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private Task ExecuteAsync(string sql) => Database.ExecuteAsync(_backend.ConnectionString, sql);
}
