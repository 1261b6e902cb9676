using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Dunlin.Host.Tests.Upgrade;

/// <summary>Databases of version 0.1.0: dumps of the demo data, with one lease granted on 'warranty/1/1/status'.</summary>
public sealed class UpgradeTests
{
    private const string Topic = "warranty/1";

    /// <summary>Number of events of <see cref="Topic"/> after offset 20 in both dumps.</summary>
    private const int Missed = 21;

    /// <summary>The secret in the session cookie of alice, who signed in before the upgrade.</summary>
    private const string Secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    private const string CookieName = "upgraded_session";

    [Theory]
    [InlineData("SQLite", "Sqlite")]
    [InlineData("PostgreSQL", "Postgres")]
    public void The_guide_names_the_current_schema(string store, string project)
    {
        var guide = File.ReadAllLines(Path.Combine(Repository.Root, "docs/guides/upgrade.md"));
        var row = guide
            .Single(line => line.StartsWith($"| {store} |", StringComparison.Ordinal))
            .Split('|', StringSplitOptions.TrimEntries);
        var newest = Directory.GetFiles(Path.Combine(Repository.Root, $"src/Dunlin.{project}/Schema"), "0*.sql").Max(Path.GetFileName)!;
        Assert.Equal(int.Parse(newest[..4], CultureInfo.InvariantCulture), int.Parse(row[3], CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_SQLite_file_of_0_1_0_migrates_and_resumes_streams()
    {
        await using var host = new HostProcess();
        await using (
            var connection = new SqliteConnection($"Data Source={Path.Combine(host.Data, "dunlin.db")};Pooling=false;Foreign Keys=false")
        )
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = await DumpAsync("sqlite") + AddSession("dunlin_session");
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await StartAsync(host);
        await RequireSignedInAsync(host);
        await RequireResumedAsync(host, epoch: "48520960");
    }

    [Fact]
    public async Task A_PostgreSQL_database_of_0_1_0_migrates_and_resumes_streams()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using (var connection = new NpgsqlConnection(server.ConnectionString))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand(await DumpAsync("postgres") + AddSession("public.dunlin_session"), connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await using var host = new HostProcess();
        await StartAsync(host, "--store", server.ConnectionString);
        await RequireSignedInAsync(host);
        await RequireResumedAsync(host, epoch: "d8e2b222");
    }

    private static Task<string> DumpAsync(string dialect) =>
        File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "Upgrade", $"store-0.1.0.{dialect}.sql"),
            TestContext.Current.CancellationToken
        );

    private static Task StartAsync(HostProcess host, params string[] options)
    {
        // The events in the dumps get older than the retention time.
        host.Settings["Dunlin__Retention__TrimInterval"] = "00:00:00";
        host.Settings["Dunlin__Accounts__CookieName"] = CookieName;
        return host.StartAsync(options);
    }

    // A session of version 0.1.0: with the hash of the secret and without a stamp.
    private static string AddSession(string table)
    {
        var hash = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)));
        var (begin, end) = (
            new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks,
            new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks
        );
        return string.Create(
            CultureInfo.InvariantCulture,
            $"\n;INSERT INTO {table} VALUES ('before-upgrade', 'alice', '{hash}', {begin}, {end}, 'browser');"
        );
    }

    private static async Task RequireSignedInAsync(HostProcess host)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = host.Address };
        using var wrong = new HttpRequestMessage(HttpMethod.Post, "/api/v1/auth/refresh");
        wrong.Headers.Add("Cookie", $"{CookieName}=before-upgrade.{Secret[1..]}A");
        using var refused = await client.SendAsync(wrong, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/auth/refresh");
        request.Headers.Add("Cookie", $"{CookieName}=before-upgrade.{Secret}");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, answer.GetRawText());
        Assert.Equal("alice", answer.GetProperty("userId").GetString());
        Assert.Equal(["admin", "reviewer"], answer.GetProperty("roles").EnumerateArray().Select(role => role.GetString()!));
    }

    private static async Task RequireResumedAsync(HostProcess host, string epoch)
    {
        using var client = await host.SignInAsync("alice");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/dunlin/v1/events?topic={Topic}");
        request.Headers.Add("Last-Event-ID", $"{epoch}-20");
        using var response = await client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken
        );
        response.EnsureSuccessStatusCode();
        var read = new List<SseItem<string>>();
        await foreach (
            var item in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync(TestContext.Current.CancellationToken)
        )
        {
            read.Add(item);
            if (read.Count == Missed + 1)
                break;
        }
        Assert.Equal("dunlin.hello", read[0].EventType);
        Assert.Contains($"\"position\":\"{epoch}-20\"", read[0].Data, StringComparison.Ordinal);
        Assert.Equal($"{epoch}-27", read[1].EventId);
        Assert.Equal($"{epoch}-166", read[^1].EventId);

        // Fencing tokens never repeat, also after the upgrade.
        using var granted = await client.PutAsJsonAsync(
            "/dunlin/v1/leases/warranty/1/2/status",
            new { leaseId = "lease-after-upgrade", seconds = 30 },
            TestContext.Current.CancellationToken
        );
        var lease = await granted.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(lease.TryGetProperty("fence", out var fence) && fence.GetInt64() > 1, lease.GetRawText());
        var list = await client.GetFromJsonAsync<JsonElement>("/api/v1/files/list", TestContext.Current.CancellationToken);
        Assert.Equal(4, list.GetProperty("documents").GetArrayLength());
    }
}
