using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Apps.Common;
using Dunlin.Cluster.Tests.Support;
using Dunlin.Host;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Cluster.Tests;

public sealed class MoverTests
{
    [Fact]
    public async Task Data_moves_from_file_to_database_and_a_page_resumes_its_position()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        var folder = Directory.CreateTempSubdirectory("dunlin-move-");
        try
        {
            string position;
            List<(long, string, string)> before;
            long fence;
            await using (var old = await StartAsync(folder.FullName, null))
            {
                using var alice = await SignInAsync(old, "alice");
                using var added = await alice.PostAsJsonAsync(
                    "/api/tasks",
                    new
                    {
                        id = "before",
                        title = "before",
                        deviceId = "desk",
                    }
                );
                var lease = await alice.PutAsJsonAsync(
                    "/dunlin/v1/leases/warranty/1/1/remarks",
                    new { leaseId = "lease-of-alice-1", seconds = 3_000 }
                );
                fence = (await lease.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("fence").GetInt64();
                var journal = old.Services.GetRequiredService<IJournal>();
                position = journal.Head.ToString();
                using var missed = await alice.PostAsJsonAsync(
                    "/api/tasks",
                    new
                    {
                        id = "missed",
                        title = "missed",
                        deviceId = "desk",
                    }
                );
                before = await EventsAsync(journal);
                await old.StopAsync();
            }
            var settings = new HostSettings
            {
                Port = 0,
                Data = folder.FullName,
                Store = postgres.ConnectionString,
            };
            await using (var idle = HostApplication.Build(settings))
            {
                var progress = new StringWriter();
                var moved = await MoveRun.RunAsync(
                    idle.Services,
                    Path.Combine(folder.FullName, "dunlin.db"),
                    postgres.ConnectionString,
                    progress
                );
                Assert.True(moved > before.Count);
                Assert.Contains("dunlin_journal", progress.ToString(), StringComparison.Ordinal);
                var again = await Assert.ThrowsAsync<InvalidOperationException>(() =>
                    MoveRun.RunAsync(idle.Services, Path.Combine(folder.FullName, "dunlin.db"), postgres.ConnectionString, progress)
                );
                Assert.Contains("not empty", again.Message, StringComparison.Ordinal);
            }
            await using var now = await StartAsync(folder.FullName, postgres.ConnectionString);
            var events = await EventsAsync(now.Services.GetRequiredService<IJournal>());
            Assert.Equal(before, events.Take(before.Count));
            using var client = await SignInAsync(now, "alice");
            client.DefaultRequestHeaders.Add("Last-Event-ID", position);
            await using var stream = await OpenStream.OpenAsync(client, "/api/sse?deviceId=phone");
            await stream.WhenAsync("missed");
            Assert.Equal((0, 0), (stream.Count("before"), stream.Count("dunlin.reset")));
            // The lease is still held, and the next token is larger than all before.
            using var held = await client.PutAsJsonAsync(
                "/dunlin/v1/leases/warranty/1/1/remarks",
                new { leaseId = "another-lease-1", seconds = 30 }
            );
            Assert.Equal(423, (int)held.StatusCode);
            using var other = await client.PutAsJsonAsync(
                "/dunlin/v1/leases/warranty/1/2/remarks",
                new { leaseId = "another-lease-1", seconds = 30 }
            );
            Assert.True((await other.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("fence").GetInt64() > fence);
            using var next = await client.PostAsJsonAsync(
                "/api/tasks",
                new
                {
                    id = "after",
                    title = "after",
                    deviceId = "desk",
                }
            );
            await stream.WhenAsync("after");
            await stream.DisposeAsync();
            await now.StopAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<List<(long, string, string)>> EventsAsync(IJournal journal)
    {
        var events = new List<(long, string, string)>();
        for (long after = 0; ; )
        {
            var page = await journal.ReadAsync(new JournalQuery(after, null), default);
            events.AddRange(page.Events.Select(e => (e.Position.Offset, e.Topic.Value, Convert.ToBase64String(e.Data.Span))));
            after = page.Through;
            if (!page.HasMore)
                return events;
        }
    }

    private static Task<DunlinTestHost> StartAsync(string folder, string? store) =>
        DunlinTestHost.StartAsync(host =>
            DemoHost.Build(host, settings => settings with { Data = folder, Store = store }, manualTime: false)
        );

    private static async Task<HttpClient> SignInAsync(DunlinTestHost host, string user)
    {
        var client = TestClients.New(host.Address);
        await client.SignInAsync(user, DemoData.Password);
        return client;
    }
}
