namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>Which tables can be watched, by which roles, and what changes of a table mean for its watch.</summary>
public sealed class WatchTableTests : IAsyncLifetime
{
    private WatchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await WatchHost.StartAsync();
        await _host.ExecuteAsync(WatchHost.Orders);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Values_are_json_under_any_settings_of_the_session()
    {
        await _host.ExecuteAsync(
            """
            CREATE TYPE mood AS ENUM ('happy', 'sad');
            CREATE TYPE pair AS (a INT, b TEXT);
            CREATE DOMAIN amount AS NUMERIC;
            CREATE FUNCTION refuse(mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE 'A cast of a user was called.'; END $$;
            CREATE CAST (mood AS json) WITH FUNCTION refuse(mood);
            CREATE TABLE "All ""Types" (
                "Id" BIGINT, part UUID, n NUMERIC, huge BIGINT, f FLOAT8, at TIMESTAMPTZ, never TIMESTAMPTZ, day DATE, span INTERVAL,
                raw BYTEA, ints INT[], j JSON, b JSONB, empty TEXT, quoted TEXT, is_set BOOLEAN, feeling mood,
                feelings mood[], both_of pair, total amount,
                twice NUMERIC GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY ("Id", part));
            SELECT dunlin.watch('"All ""Types"', topic => 'all/{Id}/{part}');
            """
        );
        await _host.ExecuteAsync(
            """
            SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET bytea_output = 'escape'; SET extra_float_digits = -5;
            SET intervalstyle = 'sql_standard';
            INSERT INTO "All ""Types" VALUES (9223372036854775807, '00000000-0000-0000-0000-00000000000a', 'NaN', -9007199254740993,
                0.1::float8 + 0.2, '2026-11-30 10:00:00.5+00', 'infinity', '-infinity', '1 day 2 hours', '\x00ff', '{1,NULL,3}',
                '{"a" : 1.0}', '{"b": [null]}', NULL, E'"\\ü\n', true, 'happy', '{happy,NULL,sad}', '(1,"x, y")', 1.50)
            """
        );
        Assert.Equal(
            """
            all/9223372036854775807/00000000-0000-0000-0000-00000000000a inserted@
            {"key":{"Id":9223372036854775807,"part":"00000000-0000-0000-0000-00000000000a"},
            "new":{"Id":9223372036854775807,"part":"00000000-0000-0000-0000-00000000000a",
            "n":"NaN","huge":-9007199254740993,"f":0.30000000000000004,
            "at":"2026-11-30T10:00:00.5+00:00","never":"infinity","day":"-infinity",
            "span":"P1DT2H","raw":"\\x00ff","ints":[1,null,3],"j":{"a" : 1.0},"b":{"b": [null]},"empty":null,
            "quoted":"\"\\ü\n","is_set":true,
            "feeling":"happy","feelings":["happy",null,"sad"],"both_of":"(1,\"x, y\")","total":1.50,"twice":"NaN"}}
            """.ReplaceLineEndings("").Replace('@', ' '),
            (await _host.TextsAsync())[0]
        );
    }

    [Fact]
    public async Task Watch_is_idempotent_and_changes_a_watch_at_once()
    {
        const string watch = "SELECT dunlin.watch('orders', topic => 'orders/{id}', columns => ARRAY['status'])";
        Assert.True(await _host.ScalarAsync<bool>(watch));
        Assert.False(await _host.ScalarAsync<bool>(watch));
        await using (var writer = await _host.ConnectAsync())
        {
            // A watch that does not change waits for nobody.
            await _host.RunAsync(writer, "BEGIN; INSERT INTO orders VALUES (1, 'a', 1)");
            Assert.False(await _host.ScalarAsync<bool>(watch));
            await _host.RunAsync(writer, "COMMIT");
        }
        Assert.True(await _host.ScalarAsync<bool>("SELECT dunlin.watch('orders', topic => 'o/{id}', type => 'order', data => 'keys')"));
        await _host.ExecuteAsync("UPDATE orders SET total = 2");
        Assert.Equal(
            ["""orders/1 inserted {"key":{"id":1},"new":{"id":1,"status":"a"}}""", """o/1 updated {"key":{"id":1}}"""],
            await _host.TextsAsync()
        );
        Assert.Equal(
            "o/{id} keys order",
            await _host.ScalarAsync<string>("SELECT topic || ' ' || data || ' ' || type FROM dunlin.watches")
        );
        Assert.True(await _host.ScalarAsync<bool>("SELECT dunlin.unwatch('orders')"));
        Assert.False(await _host.ScalarAsync<bool>("SELECT dunlin.unwatch('orders')"));
        await _host.ExecuteAsync("DELETE FROM orders");
        Assert.Equal(2, (await _host.TextsAsync()).Length);
        Assert.Equal(
            0,
            await _host.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_proc WHERE pronamespace = '{_host.Schema}'::regnamespace AND proname LIKE 'watch\\_1\\_%'"
            )
        );
    }

    [Fact]
    public async Task A_rolled_back_watch_leaves_the_old_one()
    {
        await _host.ExecuteAsync("SELECT dunlin.watch('orders', topic => 'orders/{id}', data => 'keys')");
        await _host.RunEachAsync(
            "BEGIN; SELECT dunlin.unwatch('orders'); ROLLBACK",
            "BEGIN; SELECT dunlin.watch('orders', topic => 'other/{id}', data => 'keys'); ROLLBACK",
            "INSERT INTO orders VALUES (1, 'a', 1)"
        );
        Assert.Equal(["""orders/1 inserted {"key":{"id":1}}"""], await _host.TextsAsync());
    }

    [Theory]
    [InlineData("'orders', topic => 'orders/{nothing}'", "42703")]
    [InlineData("'orders', topic => 'orders/{id}', columns => ARRAY['nothing']", "42703")]
    [InlineData("'orders', topic => 'orders/{id}', data => 'all'", "22023")]
    [InlineData("'orders', topic => 'orders/{id}', data => NULL", "22023")]
    [InlineData("'orders', topic => 'orders/{id}', type => 'lease'", "22023")]
    [InlineData("'orders', topic => 'orders/{id}', type => 'a b'", "22023")]
    [InlineData("'orders', topic => '{status}/{id}'", "22023")]
    [InlineData("'orders', topic => 'orders/{id'", "22023")]
    [InlineData("'orders', topic => 'orders/{}'", "22023")]
    [InlineData("'orders', topic => NULL", "22023")]
    [InlineData("'orders', topic => 'dunlin/{id}'", "42501")]
    [InlineData("'nowhere', topic => 'x/{id}'", "42P01")]
    [InlineData("'without_key', topic => 'x'", "0A000")]
    [InlineData("'a_view', topic => 'x'", "0A000")]
    [InlineData("'parts_1', topic => 'x'", "0A000")]
    [InlineData("'base', topic => 'x'", "0A000")]
    [InlineData("'derived', topic => 'x'", "0A000")]
    [InlineData("'dunlin_journal', topic => 'x'", "0A000")]
    [InlineData("'forced', topic => 'x'", "0A000")]
    public async Task A_watch_that_cannot_work_is_refused_with_a_hint(string arguments, string state)
    {
        await _host.ExecuteAsync(
            """
            CREATE TABLE without_key (id INT); CREATE VIEW a_view AS SELECT * FROM orders;
            CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE parts_1 PARTITION OF parts DEFAULT;
            CREATE TABLE base (id INT PRIMARY KEY); CREATE TABLE derived (PRIMARY KEY (id)) INHERITS (base);
            CREATE TABLE forced (id INT PRIMARY KEY); ALTER TABLE forced FORCE ROW LEVEL SECURITY;
            """
        );
        var refused = await _host.RefusedAsync($"SELECT dunlin.watch({arguments})");
        Assert.Equal(state, refused.SqlState);
        Assert.True(state == "42P01" || refused.Hint?.Length > 0, refused.MessageText);
        Assert.Equal(0, await _host.ScalarAsync<long>("SELECT count(*) FROM dunlin.watches"));
    }

    [Fact]
    public async Task Writes_to_partitions_are_captured_and_new_ones_are_listed()
    {
        await _host.ExecuteAsync(
            """
            CREATE TABLE parts (id INT, year INT, value TEXT, PRIMARY KEY (id, year)) PARTITION BY LIST (year);
            CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
            CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2) PARTITION BY HASH (id);
            CREATE TABLE parts_2_1 PARTITION OF parts_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
            SELECT dunlin.watch('parts', topic => 'parts/{id}');
            """
        );
        await _host.RunEachAsync(
            "INSERT INTO parts VALUES (1, 1, 'a'), (2, 2, 'b')",
            "UPDATE parts SET year = 3 - year",
            "INSERT INTO parts_1 VALUES (3, 1, 'direct')",
            "UPDATE parts_2_1 SET value = 'direct'",
            "UPDATE parts SET value = value || '!'",
            "DELETE FROM parts_2 WHERE id = 1"
        );
        await ReplaysAsync();
        await _host.ExecuteAsync(
            "CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3); INSERT INTO parts VALUES (4, 3, 'through the root')"
        );
        await ReplaysAsync();
        const string missing = "SELECT missing_partitions::text FROM dunlin.watches";
        Assert.Equal("{parts_3}", await _host.ScalarAsync<string>(missing));
        Assert.True(await _host.ScalarAsync<bool>("SELECT dunlin.watch('parts', topic => 'parts/{id}')"));
        Assert.Equal("{}", await _host.ScalarAsync<string>(missing));
        await _host.RunEachAsync("INSERT INTO parts_3 VALUES (5, 3, 'direct')", "TRUNCATE parts_1");
        await ReplaysAsync();
        await _host.ExecuteAsync("TRUNCATE parts");
        await ReplaysAsync();
        Assert.Equal((await _host.EventsAsync()).Count, (await _host.EventsAsync()).Select(entry => entry.Position).Distinct().Count());

        async Task ReplaysAsync() =>
            Assert.Equal(
                await _host.RowsAsync("'parts/' || id", """'{"id":' || id || ',"year":' || year || '}'""", "parts"),
                WatchHost.Replay(await _host.EventsAsync())
            );
    }

    [Fact]
    public async Task A_renamed_table_stays_watched_and_a_dropped_one_leaves_nothing()
    {
        await _host.ExecuteAsync("SELECT dunlin.watch('orders', topic => 'orders/{id}', data => 'keys')");
        await _host.RunEachAsync("ALTER TABLE orders RENAME TO sales", "INSERT INTO sales VALUES (1, 'a', 1)");
        Assert.True(await _host.ScalarAsync<bool>("SELECT dunlin.watch('sales', topic => 'orders/{id}', data => 'keys')"));
        await _host.ExecuteAsync("UPDATE sales SET total = 2");
        Assert.Equal(["""orders/1 inserted {"key":{"id":1}}""", """orders/1 updated {"key":{"id":1}}"""], await _host.TextsAsync());
        await _host.ExecuteAsync("DROP TABLE sales");
        Assert.Equal(0, await _host.ScalarAsync<long>("SELECT count(*) FROM dunlin.watches"));
        await _host.Store.InstallSqlAsync(_host.Schema, TestContext.Current.CancellationToken);
        Assert.Equal(0, await _host.ScalarAsync<long>("SELECT count(*) FROM dunlin.watch"));
    }

    [Fact]
    public async Task A_new_column_appears_after_the_next_watch()
    {
        const string watch = "SELECT dunlin.watch('orders', topic => 'orders/{id}')";
        await _host.ExecuteAsync(watch);
        await _host.RunEachAsync("ALTER TABLE orders ADD note TEXT DEFAULT 'n', DROP total", "SELECT 1");
        // The statement fails: it does not commit without its event.
        var refused = await _host.RefusedAsync("INSERT INTO orders VALUES (1, 'a')");
        Assert.Equal("42703", refused.SqlState);
        await _host.ExecuteAsync(watch);
        await _host.ExecuteAsync("INSERT INTO orders VALUES (1, 'a')");
        Assert.Equal(["""orders/1 inserted {"key":{"id":1},"new":{"id":1,"status":"a","note":"n"}}"""], await _host.TextsAsync());
    }

    [Fact]
    public async Task Installing_again_keeps_and_updates_watches()
    {
        await _host.ExecuteAsync("SELECT dunlin.watch('orders', topic => 'orders/{id}', data => 'keys')");
        await _host.ExecuteAsync(
            "CREATE OR REPLACE FUNCTION dunlin.watch_1_insert() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        );
        await _host.Store.InstallSqlAsync(_host.Schema, TestContext.Current.CancellationToken);
        await _host.ExecuteAsync("INSERT INTO orders VALUES (1, 'a', 1)");
        Assert.Equal(["""orders/1 inserted {"key":{"id":1}}"""], await _host.TextsAsync());
    }

    [Fact]
    public async Task Only_the_owner_watches_and_needs_a_pattern_for_the_topics()
    {
        var (owner, other, functions) = ($"owner_{Guid.NewGuid():N}", $"other_{Guid.NewGuid():N}", $"functions_{Guid.NewGuid():N}");
        await _host.ExecuteAsync(
            $"""
            CREATE ROLE {owner}; CREATE ROLE {other}; CREATE ROLE {functions};
            GRANT USAGE ON SCHEMA {_host.Schema} TO {owner}, {other}, {functions};
            GRANT EXECUTE ON FUNCTION dunlin.watch, dunlin.unwatch TO {owner}, {other};
            ALTER TABLE orders OWNER TO {owner}; ALTER TABLE orders ENABLE ROW LEVEL SECURITY; GRANT INSERT ON orders TO {other};
            CREATE POLICY own ON orders FOR INSERT TO {other} WITH CHECK (true);
            GRANT USAGE ON SCHEMA {new Npgsql.NpgsqlConnectionStringBuilder(_host.ConnectionString).SearchPath} TO {owner}, {other};
            """
        );
        const string watch = "SELECT dunlin.watch('orders', topic => 'orders/{id}', data => 'keys')";
        Assert.Equal("42501", (await _host.RefusedAsync($"SET ROLE {other}; {watch}")).SqlState);
        await _host.ExecuteAsync($"INSERT INTO dunlin.publisher VALUES ('{owner}', 'orders/x'), ('{owner}', 'other/**')");
        var refused = await _host.RefusedAsync($"SET ROLE {owner}; {watch}");
        Assert.Equal(("42501", "forbidden"), (refused.SqlState, refused.Detail));
        await _host.ExecuteAsync($"INSERT INTO dunlin.publisher VALUES ('{owner}', 'orders/*')");
        await _host.ExecuteAsync($"SET ROLE {owner}; {watch}");

        // The writer has no right to publish and sees no row.
        await _host.ExecuteAsync($"SET ROLE {other}; INSERT INTO orders VALUES (1, 'a', 1)");
        Assert.Equal(["""orders/1 inserted {"key":{"id":1}}"""], await _host.TextsAsync());
        Assert.Equal("42501", (await _host.RefusedAsync($"SET ROLE {other}; SELECT dunlin.unwatch('orders')")).SqlState);
        Assert.Equal("42501", (await _host.RefusedAsync($"SET ROLE {owner}; SELECT dunlin.watch_drop(1)")).SqlState);

        // The owner of the functions needs the rights of the owner of the table.
        await _host.ExecuteAsync($"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {_host.Schema} TO {functions}");
        await _host.ExecuteAsync($"ALTER FUNCTION dunlin.watch OWNER TO {functions}");
        refused = await _host.RefusedAsync($"SET ROLE {owner}; {watch}");
        Assert.Equal($"GRANT {owner} TO {functions};", refused.Hint);
    }
}
