using System.Data.Common;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of each <see cref="IOutbox"/>. No node runs: a flush moves the rows.</summary>
public abstract class OutboxConformance : ConformanceSuite
{
    /// <summary>Returns the outbox of the back end. The same one for each call.</summary>
    protected abstract IOutbox Outbox { get; }

    /// <summary>Gets the statement that makes a connection read-only.</summary>
    protected abstract string ReadOnly { get; }

    /// <summary>Opens a connection of the application to the database.</summary>
    protected abstract ValueTask<DbConnection> ConnectAsync();

    /// <summary>Checks that a commit of the application publishes its rows and events together.</summary>
    [Fact]
    public async Task A_commit_publishes_the_events_beside_its_rows()
    {
        var announced = new List<DunlinEvent>();
        Subject.Feed.Committed.Subscribe(announced.AddRange);
        await using var connection = await ConnectAsync();
        await ExecuteAsync(connection, null, "CREATE TABLE mine (id INTEGER)");
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await ExecuteAsync(connection, transaction, "INSERT INTO mine (id) VALUES (7)");
            await Outbox.AddAsync(connection, transaction, [Draft("a", 1), Draft("b", 2)], Cancellation);
            Assert.Empty(await ReadAllAsync());
            await transaction.CommitAsync(Cancellation);
        }
        var position = await Outbox.FlushAsync(Cancellation);
        var read = await ReadAllAsync();
        Assert.Equal(["a", "b"], read.Select(entry => entry.Topic.Value));
        Assert.Equal(position, read[^1].Position);
        Assert.Equal(read.Select(entry => entry.Position), announced.Select(entry => entry.Position));
        Assert.Equal(1, await CountAsync(connection, "mine"));
        Assert.Equal(0, await CountAsync(connection, "dunlin_outbox"));
    }

    /// <summary>Checks that a rollback leaves no event.</summary>
    [Fact]
    public async Task A_rolled_back_transaction_publishes_nothing()
    {
        await using var connection = await ConnectAsync();
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Outbox.AddAsync(connection, transaction, [Draft("a")], Cancellation);
            await transaction.RollbackAsync(Cancellation);
        }
        Assert.Equal(0, (await Outbox.FlushAsync(Cancellation)).Offset);
        Assert.Empty(await ReadAllAsync());
    }

    /// <summary>Checks that the events after a savepoint go with it.</summary>
    [Fact]
    public async Task A_savepoint_takes_back_the_events_after_it_only()
    {
        await using var connection = await ConnectAsync();
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Outbox.AddAsync(connection, transaction, [Draft("a", 1)], Cancellation);
            await transaction.SaveAsync("here", Cancellation);
            await Outbox.AddAsync(connection, transaction, [Draft("a", 2)], Cancellation);
            await transaction.RollbackAsync("here", Cancellation);
            Outbox.Add(connection, transaction, [Draft("a", 3)]);
            await transaction.CommitAsync(Cancellation);
        }
        await Outbox.FlushAsync(Cancellation);
        Assert.Equal(["1", "3"], Data(await ReadAllAsync()));
    }

    /// <summary>Checks that an event keeps all its parts.</summary>
    [Fact]
    public async Task An_event_keeps_all_its_parts()
    {
        var draft = new EventDraft(TopicName.ForText("https://example.com/ü"), "made", new byte[] { 0, 13, 10, 255 })
        {
            AlsoOn = [TopicName.Parse("b"), TopicName.Parse("c/1")],
            IsRestricted = true,
            ForeignId = "urn:uuid:1",
            Format = EventFormat.Binary,
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["retry"] = "5" },
        };
        var other = new EventDraft(
            TopicName.Parse("a"),
            "test.happened",
            "{ \"n\" : 1.0 }"u8.ToArray(),
            new EventOrigin("ann", "session", "connection", "device")
        );
        await using var connection = await ConnectAsync();
        await Outbox.AddAsync(connection, null, [draft, other], Cancellation);
        await Outbox.FlushAsync(Cancellation);
        var read = await ReadAllAsync();
        Assert.Equal(draft.Topic, read[0].Topic);
        Assert.Equal(draft.Data.ToArray(), read[0].Data.ToArray());
        Assert.Equal(draft.AlsoOn, read[0].AlsoOn);
        Assert.True(read[0].IsRestricted);
        Assert.Equal("urn:uuid:1", read[0].ForeignId);
        Assert.Equal(EventFormat.Binary, read[0].Format);
        Assert.Equal(draft.Headers, read[0].Headers);
        Assert.Null(read[0].Origin);
        Assert.Equal(read[0].Position, await Journal.FindAsync("urn:uuid:1", Cancellation));
        Assert.Equal("{ \"n\" : 1.0 }", Encoding.UTF8.GetString(read[1].Data.Span));
        Assert.Equal(other.Origin, read[1].Origin);
    }

    /// <summary>Checks that more events than one move takes keep their order.</summary>
    [Fact]
    public async Task A_large_transaction_keeps_its_order()
    {
        await using var connection = await ConnectAsync();
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            for (var first = 0; first < 2_500; first += 250)
                await Outbox.AddAsync(connection, transaction, [.. Enumerable.Range(first, 250).Select(i => Draft("a", i))], Cancellation);
            await transaction.CommitAsync(Cancellation);
        }
        Assert.Equal(2_500, (await Outbox.FlushAsync(Cancellation)).Offset);
        Assert.Equal(
            Enumerable.Range(0, 2_500).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            Data(await ReadAllAsync())
        );
    }

    /// <summary>Checks that a row that the journal does not accept holds up no other row.</summary>
    [Theory]
    [InlineData("no//name", "x", null)]
    [InlineData("a", "has space", null)]
    [InlineData("a", "dunlin.hello", null)]
    [InlineData("a", "x", "{\"format\":\"none\"}")]
    public async Task A_refused_row_is_kept_aside_with_the_reason(string topic, string type, string? extra)
    {
        await using var connection = await ConnectAsync();
        await Outbox.AddAsync(connection, null, [Draft("a", 1)], Cancellation);
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = "INSERT INTO dunlin_outbox (topic, type, data, extra) VALUES (@topic, @type, @data, @extra)";
            Add("@topic", topic);
            Add("@type", type);
            Add("@data", "1"u8.ToArray());
            Add("@extra", extra is null ? DBNull.Value : Encoding.UTF8.GetBytes(extra));
            await command.ExecuteNonQueryAsync(Cancellation);

            void Add(string name, object value)
            {
                var parameter = command.CreateParameter();
                (parameter.ParameterName, parameter.Value) = (name, value);
                if (name is "@data" or "@extra")
                    parameter.DbType = System.Data.DbType.Binary;
                command.Parameters.Add(parameter);
            }
        }
        await Outbox.AddAsync(connection, null, [Draft("a", 2)], Cancellation);
        Assert.Equal(2, (await Outbox.FlushAsync(Cancellation)).Offset);
        Assert.Equal(["1", "2"], Data(await ReadAllAsync()));
        await using var find = connection.CreateCommand();
        find.CommandText = "SELECT topic || ' ' || type || ' ' || length(reason) FROM dunlin_outbox_refused";
        Assert.StartsWith($"{topic} {type} ", (string?)await find.ExecuteScalarAsync(Cancellation), StringComparison.Ordinal);
    }

    /// <summary>Checks that a row with many events publishes each of them, and keeps those aside that the journal refuses.</summary>
    [Fact]
    public async Task A_batch_publishes_each_of_its_events()
    {
        await using var connection = await ConnectAsync();
        await AddBatchAsync(connection, """[["a","x",{"n": [1]}], ["b","y","two"],["b","dunlin.z",3],["c","w",4 ]]""");
        await AddBatchAsync(connection, "[]");
        await AddBatchAsync(connection, """[["a","x",5],["a","x"]]""");
        await Outbox.AddAsync(connection, null, [Draft("a", 6)], Cancellation);
        Assert.Equal(4, (await Outbox.FlushAsync(Cancellation)).Offset);
        var read = await ReadAllAsync();
        Assert.Equal(["a", "b", "c", "a"], read.Select(entry => entry.Topic.Value));
        Assert.Equal(["""{"n": [1]}""", "\"two\"", "4", "6"], Data(read));
        Assert.Equal(2, await CountAsync(connection, "dunlin_outbox_refused"));
        Assert.Equal(0, await CountAsync(connection, "dunlin_outbox"));
    }

    /// <summary>Checks that invalid calls store nothing.</summary>
    [Fact]
    public async Task An_invalid_call_stores_nothing()
    {
        await using var connection = await ConnectAsync();
        var large = new EventDraft(TopicName.Parse("a"), "x", new byte[(1024 * 1024) + 1]);
        var many = Enumerable.Range(0, 1_001).Select(i => Draft("a", i)).ToList();
        Assert.Equal(ErrorCode.InvalidField, (await FailAsync([])).Code);
        Assert.Equal(ErrorCode.TooLarge, (await FailAsync([large])).Code);
        Assert.Equal(ErrorCode.TooLarge, (await FailAsync(many)).Code);
        Assert.Equal(0, await CountAsync(connection, "dunlin_outbox"));

        Task<DunlinException> FailAsync(IReadOnlyList<EventDraft> drafts) =>
            Assert.ThrowsAsync<DunlinException>(async () => await Outbox.AddAsync(connection, null, drafts, Cancellation));
    }

    /// <summary>Checks that a read-only connection is refused by the database, and that the outbox works afterwards.</summary>
    [Fact]
    public async Task A_read_only_connection_cannot_publish()
    {
        await using var connection = await ConnectAsync();
        await ExecuteAsync(connection, null, ReadOnly);
        await Assert.ThrowsAnyAsync<DbException>(async () => await Outbox.AddAsync(connection, null, [Draft("a")], Cancellation));
        Assert.ThrowsAny<DbException>(() => Outbox.Add(connection, null, [Draft("a")]));
        Assert.Equal(0, (await Outbox.FlushAsync(Cancellation)).Offset);
    }

    /// <summary>Checks that events of the store and of the outbox share one order and one head.</summary>
    [Fact]
    public async Task A_flush_returns_the_head_that_covers_earlier_commits()
    {
        await using var connection = await ConnectAsync();
        await AppendAsync("a", 1);
        await Outbox.AddAsync(connection, null, [Draft("a", 2)], Cancellation);
        Assert.Equal(2, (await Outbox.FlushAsync(Cancellation)).Offset);
        await AppendAsync("a", 3);
        Assert.Equal(3, (await Outbox.FlushAsync(Cancellation)).Offset);
        Assert.Equal(["1", "2", "3"], Data(await ReadAllAsync()));
    }

    /// <summary>Checks that a flush inside a unit of work is refused, because it would wait for itself.</summary>
    [Fact]
    public async Task A_flush_inside_a_unit_of_work_is_refused()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await Store.WriteAsync(async (_, ct) => await Outbox.FlushAsync(ct), Cancellation)
        );
        Assert.Equal(0, (await Outbox.FlushAsync(Cancellation)).Offset);
    }

    /// <summary>Checks that concurrent publishers and flushes lose and repeat nothing.</summary>
    [Fact]
    public async Task Concurrent_publishers_and_flushes_move_each_event_once()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(publisher =>
                    Task.Run(
                        async () =>
                        {
                            await using var connection = await ConnectAsync();
                            for (var i = 0; i < 25; i++)
                            {
                                await Outbox.AddAsync(connection, null, [Draft($"p/{publisher}", i)], Cancellation);
                                var position = await Outbox.FlushAsync(Cancellation);
                                var page = await Journal.ReadAsync(new JournalQuery(0, [TopicName.Parse($"p/{publisher}")]), Cancellation);
                                Assert.True(page.Events[^1].Position <= position);
                                Assert.Equal(i + 1, page.Events.Count);
                            }
                        },
                        Cancellation
                    )
                )
        );
        Assert.Equal(100, (await ReadAllAsync()).Count);
    }

    /// <summary>Runs a statement.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="transaction">Its transaction; null for none.</param>
    /// <param name="sql">The statement.</param>
    protected static async Task ExecuteAsync(DbConnection connection, DbTransaction? transaction, string sql)
    {
        ArgumentNullException.ThrowIfNull(connection);
        await using var command = connection.CreateCommand();
        (command.Transaction, command.CommandText) = (transaction, sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Returns the data of events as text.</summary>
    /// <param name="events">The events.</param>
    protected static IEnumerable<string> Data(IEnumerable<DunlinEvent> events) =>
        events.Select(static entry => Encoding.UTF8.GetString(entry.Data.Span));

    private static async Task AddBatchAsync(DbConnection connection, string batch)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO dunlin_outbox (topic, type, data) VALUES ('dunlin/outbox', 'dunlin.batch', @data)";
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.DbType, parameter.Value) = ("@data", System.Data.DbType.Binary, Encoding.UTF8.GetBytes(batch));
        command.Parameters.Add(parameter);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<long> CountAsync(DbConnection connection, string table)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {table}";
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
