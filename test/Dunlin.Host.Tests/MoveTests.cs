using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Hosting;
using Dunlin.Postgres;
using Dunlin.Relational;
using Dunlin.Sqlite;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Dunlin.Host.Tests;

/// <summary>The command <c>move</c>, with the demo data of all systems.</summary>
public sealed class MoveTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_moved_file_serves_equal_data_from_PostgreSQL_and_stays_unchanged()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var host = new HostProcess();
        await host.StartAsync();
        using var client = await host.SignInAsync("alice");
        var lease = await LeaseAsync(client, "lease-before-move");
        var documents = await client.GetStringAsync("/api/v1/files/list", Cancellation);
        await host.KillAsync();
        var file = Path.Combine(host.Data, "dunlin.db");

        var moved = await host.RunAsync("move", "--from", file, "--store", server.ConnectionString);
        Assert.True(moved.Code == 0, moved.Error);
        Assert.Contains("dunlin_journal", moved.Output, StringComparison.Ordinal);
        Assert.Matches(@"Moved \d+ rows\.", moved.Output);
        var (before, after) = (
            await CountsAsync(new SqliteConnection($"Data Source={file};Pooling=false")),
            await CountsAsync(new NpgsqlConnection(server.ConnectionString))
        );
        Assert.NotEmpty(before);
        Assert.True(before["dunlin_journal"] > 0 && before["dunlin_record"] > 0 && before["dunlin_account"] > 0);
        Assert.Equal(before, after.Where(count => before.ContainsKey(count.Key)).ToDictionary());

        await host.StartAsync("--store", server.ConnectionString);
        using var again = await host.SignInAsync("alice");
        Assert.Equal(WithoutNow(documents), WithoutNow(await again.GetStringAsync("/api/v1/files/list", Cancellation)));
        Assert.True(await LeaseAsync(again, "lease-after-move", "warranty/1/2/status") > lease);
        await host.KillAsync();

        // The database contains events now, so a second move changes nothing.
        var refused = await host.RunAsync("move", "--from", file, "--store", server.ConnectionString);
        Assert.Equal(1, refused.Code);
        Assert.Contains("Nothing was moved", refused.Error, StringComparison.Ordinal);
        Assert.Contains("not empty", refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("move")]
    [InlineData("move", "--from", "x.db")]
    [InlineData("move", "--store", "Host=x")]
    [InlineData("--from", "x.db")]
    public async Task A_move_without_its_options_is_refused_naming_both(params string[] options)
    {
        await using var host = new HostProcess();
        var (code, _, error) = await host.RunAsync(options);
        Assert.Equal(2, code);
        Assert.Contains("--from", error, StringComparison.Ordinal);
        Assert.Contains("--store", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        await using var host = new HostProcess();
        var (code, _, error) = await host.RunAsync("move", "--from", "/nowhere/x.db", "--store", "Host=127.0.0.1");
        Assert.Equal(1, code);
        Assert.Contains("/nowhere/x.db", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_moved_there_and_back_is_identical()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var host = new HostProcess();
        await host.StartAsync();
        using (var client = await host.SignInAsync("alice"))
            await LeaseAsync(client, "lease-before-move");
        await host.KillAsync();
        var (first, last) = (Path.Combine(host.Data, "dunlin.db"), Path.Combine(host.Data, "back.db"));
        var schemas = await SchemasOfAsync(host.Data);
        await using (var source = Stores.Sqlite(first, schemas))
        await using (var target = Stores.Postgres(server.ConnectionString, schemas))
            Assert.True(await StoreMove.RunAsync(source, target, cancellationToken: Cancellation) > 0);
        await using (var source = Stores.Postgres(server.ConnectionString, schemas))
        await using (var target = Stores.Sqlite(last, schemas))
            Assert.True(await StoreMove.RunAsync(source, target, cancellationToken: Cancellation) > 0);
        // Opening extends the held leases, so expiry times are excluded.
        Assert.Equal(await StoreDump.OfFileAsync(first), await StoreDump.OfFileAsync(last));
    }

    // The answer contains the server's time.
    private static string WithoutNow(string json) => Regex.Replace(json, "\"server_now\":\"[^\"]+\"", "");

    private static async Task<SchemaScripts[]> SchemasOfAsync(string data)
    {
        await using var app = HostApplication.Build(HostSettings.Parse(["--data", data]));
        return [.. app.Services.GetServices<SchemaScripts>()];
    }

    private static async Task<long> LeaseAsync(HttpClient client, string id, string resource = "warranty/1/1/status")
    {
        using var granted = await client.PutAsJsonAsync($"/dunlin/v1/leases/{resource}", new { leaseId = id, seconds = 30 }, Cancellation);
        var lease = await granted.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.True(granted.IsSuccessStatusCode, lease.GetRawText());
        return lease.GetProperty("fence").GetInt64();
    }

    private static async Task<Dictionary<string, long>> CountsAsync(System.Data.Common.DbConnection connection)
    {
        await using (connection)
        {
            await connection.OpenAsync(Cancellation);
            var counts = new Dictionary<string, long>();
            foreach (var table in await StoreDump.TablesAsync(connection))
            {
                using var count = connection.CreateCommand();
                // The lease token is a sequence in PostgreSQL, and a counter row in SQLite.
                count.CommandText = $"SELECT count(*) FROM \"{table}\"" + (table == "dunlin_counter" ? " WHERE name <> 'fence'" : "");
                counts[table] = Convert.ToInt64(await count.ExecuteScalarAsync(Cancellation), null);
            }
            return counts;
        }
    }
}
