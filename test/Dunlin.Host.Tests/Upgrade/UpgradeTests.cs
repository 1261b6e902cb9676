using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.TestKit.Servers;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Dunlin.Host.Tests.Upgrade;

/// <summary>Databases that version 0.1.0 made: dumps of the demo data, with one lease that was granted on 'warranty/1/1/status'.</summary>
public sealed class UpgradeTests
{
    private const string Topic = "warranty/1";

    /// <summary>The events of <see cref="Topic"/> behind the offset 20 in both dumps.</summary>
    private const int Missed = 21;

    [Fact]
    public async Task A_SQLite_file_of_0_1_0_migrates_and_resumes_streams()
    {
        await using var host = new HostProcess();
        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(host.Data, "dunlin.db")};Pooling=false;Foreign Keys=false"))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = await DumpAsync("sqlite");
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await StartAsync(host);
        await RequireResumedAsync(host, epoch: "48520960");
    }

    [Fact]
    public async Task A_PostgreSQL_database_of_0_1_0_migrates_and_resumes_streams()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using (var connection = new NpgsqlConnection(server.ConnectionString))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand(await DumpAsync("postgres"), connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await using var host = new HostProcess();
        await StartAsync(host, "--store", server.ConnectionString);
        await RequireResumedAsync(host, epoch: "d8e2b222");
    }

    private static Task<string> DumpAsync(string dialect) =>
        File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Upgrade", $"store-0.1.0.{dialect}.sql"), TestContext.Current.CancellationToken);

    private static Task StartAsync(HostProcess host, params string[] options)
    {
        // The dumps grow older than the journal keeps events.
        host.Settings["Dunlin__Retention__TrimInterval"] = "00:00:00";
        return host.StartAsync(options);
    }

    private static async Task RequireResumedAsync(HostProcess host, string epoch)
    {
        using var client = await host.SignInAsync("alice");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/dunlin/v1/events?topic={Topic}");
        request.Headers.Add("Last-Event-ID", $"{epoch}-20");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        var read = new List<SseItem<string>>();
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync(TestContext.Current.CancellationToken))
        {
            read.Add(item);
            if (read.Count == Missed + 1)
                break;
        }
        Assert.Equal("dunlin.hello", read[0].EventType);
        Assert.Contains($"\"position\":\"{epoch}-20\"", read[0].Data, StringComparison.Ordinal);
        Assert.Equal($"{epoch}-27", read[1].EventId);
        Assert.Equal($"{epoch}-166", read[^1].EventId);

        // A fencing token is never given twice, also not after the upgrade.
        using var granted = await client.PutAsJsonAsync(
            "/dunlin/v1/leases/warranty/1/2/status", new { leaseId = "lease-after-upgrade", seconds = 30 }, TestContext.Current.CancellationToken);
        var lease = await granted.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(lease.TryGetProperty("fence", out var fence) && fence.GetInt64() > 1, lease.GetRawText());
        var list = await client.GetFromJsonAsync<JsonElement>("/api/v1/files/list", TestContext.Current.CancellationToken);
        Assert.Equal(4, list.GetProperty("documents").GetArrayLength());
    }
}
