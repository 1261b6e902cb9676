using System.Collections.Concurrent;
using System.Globalization;
using Dunlin.Journal;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.Data.Sqlite;

namespace Dunlin.Server.Tests.Commands;

/// <summary>The commands <c>backup</c> and <c>restore</c>, with servers in processes of their own.</summary>
[Trait("Store", "own")]
public sealed class BackupCommandTests : IAsyncLifetime
{
    private static readonly string Reader = Mint.User("reader", ("subscribe", "load/*"));

    private readonly ServerProgram _server = new();

    private string Backup => Path.Combine(_server.Folder, "backup.db");

    private string DatabaseFile => Path.Combine(_server.Data, "dunlin.db");

    public ValueTask InitializeAsync()
    {
        _server.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        return default;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task G2_Restored_backup_holds_all_up_to_its_position_and_resets()
    {
        await _server.StartAsync();
        var published = new ConcurrentQueue<(string Position, int Number)>();
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                published.Enqueue((await PublishAsync(i), i));
        });
        await Eventually.TrueAsync(() => published.Count >= 50);
        var backup = await Cli.JsonAsync("backup", "--to", Backup, "--data", _server.Data);
        var position = Position.Parse(backup.GetProperty("position").GetString()!, CultureInfo.InvariantCulture);
        // The writers were not stopped, and write after the backup too.
        var during = published.Count;
        await Eventually.TrueAsync(() => published.Count >= during + 50);
        await stop.CancelAsync();
        await writer;
        await _server.KillAsync();
        var last = published.Last().Position;
        Assert.Equal("ok", await IntegrityAsync(Backup));

        var (code, output, error) = await Cli.RunAsync("restore", "--from", Backup, "--replace", "--data", _server.Data);
        Assert.True(code == 0, error);
        Assert.Contains("new epoch", output, StringComparison.Ordinal);
        Assert.True(File.Exists(DatabaseFile + ".replaced"));
        await _server.StartAsync();

        // A reader of the lost history does not continue as if nothing had happened.
        await using (var ahead = await Calls.OpenAsync(_server.Address, Reader, "topic=load/1", last))
        {
            Assert.Contains("\"epoch\"", (await ahead.UntilAsync("dunlin.reset")).Data, StringComparison.Ordinal);
            await PublishAsync(-1);
            Assert.Equal("-1", (await ahead.UntilAsync("e")).Data);
        }
        // Everything that was acknowledged before the position of the backup is there, in order.
        var page = await Calls.SendAsync(_server.Address, Reader, HttpMethod.Get, "/dunlin/v1/journal?topic=load/1&limit=1000");
        var events = page.Answer.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("data").GetInt32()).ToList();
        Assert.Equal([.. Enumerable.Range(0, (int)position.Offset), -1], events);
        Assert.All(
            published.Where(p => Position.Parse(p.Position, CultureInfo.InvariantCulture) <= position),
            p => Assert.InRange(p.Number, 0, (int)position.Offset - 1)
        );
    }

    [Fact]
    public async Task G3_Each_restore_of_one_backup_has_another_epoch_and_larger_tokens()
    {
        await _server.StartAsync();
        var epochs = new List<string> { (await PublishAsync(1))[..8] };
        await Cli.JsonAsync("backup", "--to", Backup, "--data", _server.Data);
        // The backup does not know these grants.
        var tokens = new List<long> { await GrantAsync(), await GrantAsync() };
        await _server.KillAsync();
        for (var i = 0; i < 2; i++)
        {
            File.Delete(DatabaseFile + ".replaced");
            File.Delete(DatabaseFile + ".replaced-wal");
            File.Delete(DatabaseFile + ".replaced-shm");
            await Cli.JsonAsync("restore", "--from", Backup, "--replace", "--data", _server.Data);
            await _server.StartAsync();
            epochs.Add((await PublishAsync(2))[..8]);
            tokens.AddRange(await GrantAsync(), await GrantAsync());
            await _server.KillAsync();
        }
        // A start without a restore keeps the epoch.
        await _server.StartAsync();
        Assert.Equal(epochs[^1], (await PublishAsync(3))[..8]);
        Assert.Equal(3, epochs.Distinct(StringComparer.Ordinal).Count());
        RequireGrowing(tokens);
    }

    [Fact]
    public async Task Restore_under_a_running_server_is_refused()
    {
        await _server.StartAsync();
        await PublishAsync(1);
        await Cli.JsonAsync("backup", "--to", Backup, "--data", _server.Data);
        var (code, _, error) = await Cli.RunAsync("restore", "--from", Backup, "--replace", "--data", _server.Data);
        Assert.Equal(1, code);
        Assert.Contains("in use by process", error, StringComparison.Ordinal);
        await PublishAsync(2);
    }

    [Fact]
    public async Task Nothing_is_overwritten_without_being_asked()
    {
        await _server.StartAsync();
        await PublishAsync(1);
        await _server.KillAsync();
        await Cli.JsonAsync("backup", "--to", Backup, "--data", _server.Data);
        var (before, backup) = (await File.ReadAllBytesAsync(DatabaseFile), await File.ReadAllBytesAsync(Backup));
        (string[] Arguments, string Reason)[] refused =
        [
            (["backup", "--to", Backup, "--data", _server.Data], "exists already"),
            (["restore", "--from", Backup, "--data", _server.Data], "Allow the restore to replace it"),
            (["restore", "--from", Backup + ".none", "--replace", "--data", _server.Data], "does not exist"),
            (["backup", "--to", Backup + ".2", "--data", Path.Combine(_server.Folder, "none")], "does not exist"),
        ];
        foreach (var (arguments, reason) in refused)
        {
            var (code, output, error) = await Cli.RunAsync(arguments);
            Assert.Equal((1, ""), (code, output));
            Assert.Contains(reason, error, StringComparison.Ordinal);
        }
        Assert.Equal(before, await File.ReadAllBytesAsync(DatabaseFile));
        Assert.Equal(backup, await File.ReadAllBytesAsync(Backup));
    }

    [Fact]
    public async Task A_damaged_or_foreign_file_is_not_restored()
    {
        var text = Path.Combine(_server.Folder, "text.db");
        await File.WriteAllTextAsync(
            text,
            "This is no database, but a text that is longer than the header of one. " + new string('.', 200)
        );
        var foreign = Path.Combine(_server.Folder, "foreign.db");
        await using (var connection = new SqliteConnection($"Data Source={foreign};Pooling=false"))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            using var command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE other (id INTEGER)";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        foreach (var file in new[] { text, foreign })
        {
            var (code, _, error) = await Cli.RunAsync("restore", "--from", file, "--data", _server.Data);
            Assert.Equal(1, code);
            Assert.Contains("no usable database of Dunlin", error, StringComparison.Ordinal);
            Assert.False(File.Exists(DatabaseFile));
        }
    }

    [Fact]
    public async Task G3_Restored_PostgreSQL_gets_a_new_epoch_and_larger_tokens()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await _server.StartAsync("--store", postgres.ConnectionString);
        var before = await PublishAsync(1);
        var tokens = new List<long> { await GrantAsync() };
        await RewindTokensAsync(postgres);
        await _server.KillAsync();
        var (refused, _, error) = await Cli.RunAsync("backup", "--to", Backup, "--store", postgres.ConnectionString);
        Assert.Equal(2, refused);
        Assert.Contains("pg_dump", error, StringComparison.Ordinal);

        var restored = await Cli.JsonAsync("restore", "--store", postgres.ConnectionString);
        Assert.NotEqual(before, restored.GetProperty("position").GetString());
        await _server.StartAsync("--store", postgres.ConnectionString);
        tokens.AddRange(await GrantAsync(), await GrantAsync());
        RequireGrowing(tokens);
        await using var reader = await Calls.OpenAsync(_server.Address, Reader, "topic=load/1", before);
        Assert.Contains("\"epoch\"", (await reader.UntilAsync("dunlin.reset")).Data, StringComparison.Ordinal);
    }

    private static async Task<string> IntegrityAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=false;Mode=ReadOnly");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check";
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    /// <summary>Acquires and releases a lease, and returns its fencing token.</summary>
    private async Task<long> GrantAsync()
    {
        using var client = Calls.Client(_server.Address, Mint.User("holder", ("hold", "files/*")));
        var body = new { leaseId = "lease-of-the-test" };
        var granted = (await client.SendJsonAsync("PUT", "/dunlin/v1/leases/files/1", body)).Ok();
        await client.SendJsonAsync("DELETE", "/dunlin/v1/leases/files/1", null, ("Dunlin-Lease", body.leaseId));
        return granted.GetProperty("fence").GetInt64();
    }

    private static void RequireGrowing(List<long> tokens) => Assert.Equal(tokens.Order().Distinct(), tokens);

    // As in a database of pg_restore from before the grants.
    private static async Task RewindTokensAsync(PostgresServer postgres)
    {
        await using var connection = new Npgsql.NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new Npgsql.NpgsqlCommand("SELECT setval('dunlin_fence', 1, false)", connection);
        await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    private Task<string> PublishAsync(int number) => Calls.PublishAsync(_server.Address, Mint.Backend(), "load/1", number);
}
