namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>The events of changes to watched tables: which, in which order, with which values.</summary>
public sealed class WatchChangeTests : IAsyncLifetime
{
    private WatchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await WatchHost.StartAsync();
        await _host.ExecuteAsync(WatchHost.Orders);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Changes_of_a_committed_transaction_are_published_in_order()
    {
        await WatchAsync();
        await _host.RunEachAsync(
            "BEGIN; INSERT INTO orders VALUES (1, 'new', 1.50); UPDATE orders SET status = 'paid'; DELETE FROM orders; COMMIT",
            "BEGIN; INSERT INTO orders VALUES (2, 'new', 2); ROLLBACK",
            "BEGIN; INSERT INTO orders VALUES (3, 'a', 3); SAVEPOINT s; UPDATE orders SET status = 'b'; ROLLBACK TO s; COMMIT"
        );
        Assert.Equal(
            [
                """orders/1 inserted {"key":{"id":1},"new":{"id":1,"status":"new","total":1.50}}""",
                """orders/1 updated {"key":{"id":1},"new":{"id":1,"status":"paid","total":1.50}}""",
                """orders/1 deleted {"key":{"id":1}}""",
                """orders/3 inserted {"key":{"id":3},"new":{"id":3,"status":"a","total":3}}""",
            ],
            await _host.TextsAsync()
        );
        Assert.Equal(0, await _host.ScalarAsync<long>("SELECT count(*) FROM dunlin_outbox_refused"));
    }

    [Theory]
    [InlineData(
        "old_and_new",
        """updated {"key":{"id":1},"new":{"id":1,"status":"b","total":1},"old":{"id":1,"status":"a","total":1}}""",
        """deleted {"key":{"id":1},"old":{"id":1,"status":"b","total":1}}"""
    )]
    [InlineData("keys", """updated {"key":{"id":1}}""", """deleted {"key":{"id":1}}""")]
    public async Task Data_selects_old_values_or_keys_only(string data, string updated, string deleted)
    {
        await _host.ExecuteAsync("INSERT INTO orders VALUES (1, 'a', 1)");
        await WatchAsync($"data => '{data}'");
        await _host.RunEachAsync("UPDATE orders SET status = 'b'", "DELETE FROM orders");
        Assert.Equal(["orders/1 " + updated, "orders/1 " + deleted], await _host.TextsAsync());
    }

    [Fact]
    public async Task An_update_without_a_change_of_watched_columns_publishes_nothing()
    {
        await WatchAsync("columns => ARRAY['status'], type => 'order'");
        await _host.RunEachAsync(
            "INSERT INTO orders VALUES (1, 'a', 1)",
            "UPDATE orders SET total = 2",
            "UPDATE orders SET status = 'a'",
            "UPDATE orders SET status = 'b', total = 3"
        );
        Assert.Equal(
            [
                """orders/1 inserted {"key":{"id":1},"new":{"id":1,"status":"a"}}""",
                """orders/1 updated {"key":{"id":1},"new":{"id":1,"status":"b"}}""",
            ],
            await _host.TextsAsync()
        );
        Assert.Equal(["order.inserted", "order.updated"], (await _host.EventsAsync()).Select(entry => entry.Type));
    }

    [Fact]
    public async Task A_changed_key_is_a_deletion_and_an_insertion()
    {
        await _host.ExecuteAsync("INSERT INTO orders VALUES (1, 'a', 1), (2, 'b', 2)");
        await WatchAsync("data => 'keys'");
        await _host.ExecuteAsync("UPDATE orders SET id = 5 WHERE id = 1");
        Assert.Equal(["orders/1 deleted", "orders/5 inserted"], Short(await _host.TextsAsync()));
    }

    [Fact]
    public async Task Keys_that_shift_within_a_statement_keep_the_right_values()
    {
        await _host.ExecuteAsync(
            "ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id) DEFERRABLE; "
                + "INSERT INTO orders VALUES (1, 'a', 1), (2, 'b', 2)"
        );
        await WatchAsync("snapshot => true");
        await _host.ExecuteAsync("UPDATE orders SET id = id + 1");
        await ReplaysAsync();
        await _host.ExecuteAsync("UPDATE orders SET id = 5 - id");
        await ReplaysAsync();
    }

    [Fact]
    public async Task A_row_that_moves_to_another_topic_leaves_the_old_one()
    {
        await _host.ExecuteAsync("SELECT dunlin.watch('orders', topic => 'states/{status}/orders', columns => ARRAY['total'])");
        await _host.RunEachAsync(
            "INSERT INTO orders VALUES (1, 'a/b', 1)",
            "UPDATE orders SET status = 'ü'",
            "UPDATE orders SET total = 2"
        );
        Assert.Equal(
            [
                """states/a%2Fb/orders inserted {"key":{"id":1},"new":{"id":1,"total":1}}""",
                """states/a%2Fb/orders deleted {"key":{"id":1}}""",
                """states/%C3%BC/orders inserted {"key":{"id":1},"new":{"id":1,"total":1}}""",
                """states/%C3%BC/orders updated {"key":{"id":1},"new":{"id":1,"total":2}}""",
            ],
            await _host.TextsAsync()
        );
    }

    [Fact]
    public async Task Upserts_merges_and_copies_are_captured()
    {
        await WatchAsync();
        await _host.RunEachAsync(
            "INSERT INTO orders VALUES (1, 'a', 1), (2, 'a', 2)",
            "INSERT INTO orders VALUES (2, 'b', 2), (3, 'b', 3) ON CONFLICT (id) DO UPDATE SET status = excluded.status",
            "INSERT INTO orders VALUES (3, 'c', 3) ON CONFLICT DO NOTHING"
        );
        Assert.Equal(["orders/1 inserted", "orders/2 inserted", "orders/2 updated", "orders/3 inserted"], Short(await _host.TextsAsync()));
        await _host.ExecuteAsync(
            """
            MERGE INTO orders USING (VALUES (1, 'deleted'), (2, 'merged'), (4, 'added')) AS given (id, status) ON orders.id = given.id
            WHEN MATCHED AND given.status = 'deleted' THEN DELETE
            WHEN MATCHED THEN UPDATE SET status = given.status
            WHEN NOT MATCHED THEN INSERT VALUES (given.id, given.status, 4)
            """
        );
        await ReplaysAsync();
        await using (var connection = await _host.ConnectAsync())
        await using (var import = await connection.BeginTextImportAsync("COPY orders FROM STDIN"))
            await import.WriteAsync("10\tcopied\t1\n11\tcopied\t\\N\n");
        await ReplaysAsync();
        Assert.Equal(
            """orders/11 inserted {"key":{"id":11},"new":{"id":11,"status":"copied","total":null}}""",
            (await _host.TextsAsync())[^1]
        );
    }

    [Fact]
    public async Task A_merge_that_deletes_and_inserts_one_key_ends_with_the_row()
    {
        await _host.ExecuteAsync("INSERT INTO orders VALUES (1, 'a', 1)");
        await WatchAsync("snapshot => true");
        await _host.ExecuteAsync(
            """
            MERGE INTO orders USING (VALUES (1, true), (1, false)) AS given (id, is_old) ON orders.id = given.id AND given.is_old
            WHEN MATCHED THEN DELETE
            WHEN NOT MATCHED THEN INSERT VALUES (given.id, 'again', 2)
            """
        );
        Assert.Equal("again", await _host.ScalarAsync<string>("SELECT status FROM orders"));
        await ReplaysAsync();
    }

    [Theory]
    [InlineData("AFTER UPDATE ON orders FOR EACH ROW", "UPDATE orders SET total = 9 WHERE id = new.id AND total <> 9;")]
    [InlineData("AFTER UPDATE ON orders FOR EACH ROW", "UPDATE orders SET total = total + 1 WHERE total < 7;")]
    [InlineData("AFTER UPDATE ON orders FOR EACH ROW", "DELETE FROM orders WHERE id = new.id + 1;")]
    [InlineData("AFTER DELETE ON orders FOR EACH ROW", "INSERT INTO orders VALUES (old.id, 'again', 5) ON CONFLICT DO NOTHING;")]
    [InlineData("BEFORE INSERT ON orders FOR EACH ROW", "DELETE FROM orders WHERE id = new.id;")]
    [InlineData("AFTER INSERT ON orders FOR EACH STATEMENT", "UPDATE orders SET total = 8 WHERE total = 1;")]
    [InlineData("BEFORE UPDATE ON orders FOR EACH ROW", "new.status := 'before';")]
    public async Task Statements_within_triggers_keep_the_order_of_a_row(string trigger, string body)
    {
        // One trigger fires before those of the watch, and one after them.
        await _host.ExecuteAsync(
            $"""
            CREATE FUNCTION nested() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF pg_trigger_depth() < 4 THEN {body} END IF; RETURN new;
            END $$;
            INSERT INTO orders VALUES (1, 'a', 1), (2, 'a', 1), (3, 'a', 1);
            SELECT dunlin.watch('orders', topic => 'orders/{"{id}"}', snapshot => true);
            CREATE TRIGGER aaa {trigger} EXECUTE FUNCTION nested();
            CREATE TRIGGER zzz {trigger} EXECUTE FUNCTION nested();
            """
        );
        await _host.RunEachAsync(
            "UPDATE orders SET total = 2, status = 'b'",
            "INSERT INTO orders VALUES (10, 'c', 1), (11, 'c', 1)",
            "UPDATE orders SET total = 3 WHERE id IN (1, 10)",
            "DELETE FROM orders WHERE id IN (2, 11)",
            "INSERT INTO orders VALUES (12, 'd', 1)"
        );
        await ReplaysAsync();
    }

    [Fact]
    public async Task A_cascade_of_a_foreign_key_is_captured()
    {
        await _host.ExecuteAsync(
            """
            INSERT INTO orders VALUES (1, 'a', 1), (2, 'a', 2);
            CREATE TABLE lines (order_id INT REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE, line INT, PRIMARY KEY (order_id, line));
            INSERT INTO lines VALUES (1, 1), (1, 2), (2, 1);
            SELECT dunlin.watch('lines', topic => 'orders/{order_id}/lines', data => 'keys');
            """
        );
        await _host.RunEachAsync("DELETE FROM orders WHERE id = 1", "UPDATE orders SET id = 3");
        Assert.Equal(
            ["orders/1/lines deleted", "orders/1/lines deleted", "orders/2/lines deleted", "orders/3/lines inserted"],
            Short(await _host.TextsAsync())
        );
        Assert.EndsWith("""{"key":{"order_id":3,"line":1}}""", (await _host.TextsAsync())[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bulk_statement_is_published_in_batches_without_loss()
    {
        await WatchAsync();
        await _host.ExecuteAsync("INSERT INTO orders SELECT i, repeat('x', i % 700), i FROM generate_series(1, 3000) AS i");
        var batches = await _host.ScalarAsync<long>("SELECT count(*) FROM dunlin_outbox");
        Assert.InRange(batches, 6, 30);
        await ReplaysAsync();
        Assert.Equal(3000, (await _host.EventsAsync()).Count);
        await _host.RunEachAsync("UPDATE orders SET total = -total", "DELETE FROM orders WHERE id % 2 = 0");
        await ReplaysAsync();
        Assert.Equal(7500, (await _host.EventsAsync()).Count);
    }

    [Fact]
    public async Task Truncate_publishes_a_deletion_of_each_row()
    {
        await _host.ExecuteAsync("INSERT INTO orders SELECT i, 'a', i FROM generate_series(1, 600) AS i");
        await WatchAsync("snapshot => true");
        await _host.ExecuteAsync("TRUNCATE orders");
        Assert.Equal(600, (await _host.TextsAsync()).Count(text => text.Contains(" deleted ", StringComparison.Ordinal)));
        await ReplaysAsync();
        var refused = await _host.RefusedAsync("BEGIN ISOLATION LEVEL REPEATABLE READ; TRUNCATE orders");
        Assert.Equal("0A000", refused.SqlState);
    }

    [Fact]
    public async Task A_row_above_the_limit_is_published_without_values()
    {
        await WatchAsync();
        await _host.RunEachAsync(
            "INSERT INTO orders VALUES (1, repeat('x', 1100000), 1), (2, 'b', 2)",
            "UPDATE orders SET status = 'small'"
        );
        var texts = await _host.TextsAsync();
        Assert.Equal("""orders/1 inserted {"key":{"id":1},"omitted":"too_large"}""", texts[0]);
        Assert.Equal(4, texts.Length);
        Assert.Contains("""orders/1 updated {"key":{"id":1},"new":{"id":1,"status":"small","total":1}}""", texts);
    }

    [Fact]
    public async Task A_null_or_long_column_of_the_topic_fails_the_statement()
    {
        await _host.ExecuteAsync("SELECT dunlin.watch('orders', topic => 'states/{status}')");
        var refused = await _host.RefusedAsync("INSERT INTO orders VALUES (1, NULL, 1)");
        Assert.Equal(("22023", "invalid_topic"), (refused.SqlState, refused.Detail));
        refused = await _host.RefusedAsync("INSERT INTO orders VALUES (1, repeat('x', 300), 1)");
        Assert.Equal(("22023", "invalid_topic"), (refused.SqlState, refused.Detail));
        Assert.Equal(0, await _host.ScalarAsync<long>("SELECT count(*) FROM orders"));
    }

    private Task WatchAsync(string more = "data => 'new'") =>
        _host.ExecuteAsync($"SELECT dunlin.watch('orders', topic => 'orders/{{id}}', {more})");

    /// <summary>Asserts that the events give the table.</summary>
    private async Task ReplaysAsync() =>
        Assert.Equal(
            await _host.RowsAsync("'orders/' || id", """'{"id":' || id || '}'""", "orders"),
            WatchHost.Replay(await _host.EventsAsync())
        );

    private static string[] Short(string[] texts) => [.. texts.Select(text => text[..text.IndexOf(" {", StringComparison.Ordinal)])];
}
