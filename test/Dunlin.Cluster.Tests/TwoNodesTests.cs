using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dunlin.Access;
using Dunlin.Backplane;
using Dunlin.Cluster.Tests.Support;
using Dunlin.Devices;
using Dunlin.Jobs;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Cluster.Tests;

/// <summary>Actions on one node that affect the other.</summary>
public sealed class TwoNodesTests
{
    private const string LeaseOfAlice = "lease-of-alice-1",
        LeaseOfBob = "lease-of-bob-01";
    private static readonly string[] Ended = ["\"channel\":\"timer\"", "\"type\":\"stopped\""];

    private const string Lease = "/dunlin/v1/leases/warranty/1/1/remarks";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_on_one_node_reaches_other_sessions_on_the_other_node(bool withRedis)
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis);
        var (alice, carol) = (await nodes.SignInAsync("alice"), await nodes.SignInAsync("carol"));
        await using var own = await OpenStream.OpenAsync(alice[1], "/api/v1/sse/subscribe");
        await using var other = await OpenStream.OpenAsync(carol[1], "/api/v1/sse/subscribe");
        var file = await FirstFileAsync(alice[0]);
        using var locked = await alice[0].PostAsJsonAsync("/api/v1/files/acquire_lock", new { file_id = file });
        Assert.Equal(HttpStatusCode.OK, locked.StatusCode);
        await other.WhenAsync("fileDataChanged", "lock_acquired", file);
        var lease = (await locked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("lease").GetInt64();
        using var released = await alice[0].PostAsJsonAsync("/api/v1/files/release_lock", new { file_id = file, lease });
        // The other node acquires the lock now, and that event arrives. An event about the own lock would have arrived before it.
        await other.WhenAsync("lockReleased", file);
        using var taken = await carol[0].PostAsJsonAsync("/api/v1/files/acquire_lock", new { file_id = file });
        Assert.True(taken.IsSuccessStatusCode, await taken.Content.ReadAsStringAsync());
        await own.WhenAsync("fileDataChanged", "lock_acquired", file);
        Assert.Equal(1, own.Count("fileDataChanged", "lock_acquired", file));
        Assert.Equal(0, own.Count("lockReleased"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task G4_Sign_out_on_one_node_ends_the_sessions_streams_on_the_other(bool withRedis)
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis);
        var (leaving, staying) = (await nodes.SignInAsync("alice"), await nodes.SignInAsync("alice"));
        await using var ended = await OpenStream.OpenAsync(leaving[1], "/dunlin/v1/events?topic=users/alice");
        await using var open = await OpenStream.OpenAsync(staying[1], "/dunlin/v1/events?topic=users/alice");
        using var logout = await leaving[0].PostAsync("/api/v1/auth/logout", null);
        Assert.True(logout.IsSuccessStatusCode);
        await ended.Ended;
        Assert.Contains("signedOut", ended.Text, StringComparison.Ordinal);
        using var refused = await leaving[1].GetAsync("/dunlin/v1/stats");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(0, open.Count("dunlin.goodbye"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task G4_Access_revoked_on_one_node_ends_open_streams_on_the_other(bool withRedis)
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis);
        var (alice, dave) = (await nodes.SignInAsync("alice"), await nodes.SignInAsync("dave"));
        await using var stream = await OpenStream.OpenAsync(dave[1], "/dunlin/v1/events?topic=documents/letters");
        using var taken = await alice[0].DeleteAsync("/api/v1/admin/collections/letters/members/dave");
        Assert.True(taken.IsSuccessStatusCode, await taken.Content.ReadAsStringAsync());
        await stream.Ended;
        Assert.Contains("revoked", stream.Text, StringComparison.Ordinal);
        using var refused = await dave[1].GetAsync("/dunlin/v1/events?topic=documents/letters");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task A_ticket_of_one_node_opens_one_stream_on_the_other()
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis: false);
        var alice = await nodes.SignInAsync("alice");
        using var got = await alice[0].PostAsync("/api/v1/auth/ticket", null);
        var ticket = (await got.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("ticket").GetString();
        using var bare = new HttpClient(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero })
        {
            BaseAddress = alice[1].BaseAddress,
        };
        await using var stream = await OpenStream.OpenAsync(bare, $"/dunlin/v1/events?topic=users/alice&ticket={ticket}");
        using var again = await bare.GetAsync($"/dunlin/v1/events?topic=users/alice&ticket={ticket}");
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
    }

    [Fact]
    public async Task G3_Waiters_and_hand_off_work_across_nodes()
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis: false);
        var (alice, bob) = (await nodes.SignInAsync("alice"), await nodes.SignInAsync("bob"));
        var granted = await PutAsync(alice[0], LeaseOfAlice, 60, HttpStatusCode.Created);
        await PutAsync(bob[1], LeaseOfBob, 60, HttpStatusCode.Accepted, wait: true);
        await using var his = await OpenStream.OpenAsync(bob[1], "/api/sse/warranty-updates?branchId=1");
        using var handed = await alice[0]
            .PostAsJsonAsync(
                Lease + "/handoff",
                new
                {
                    leaseId = LeaseOfAlice,
                    fence = Fence(granted),
                    to = "bob",
                }
            );
        Assert.True(handed.IsSuccessStatusCode, await handed.Content.ReadAsStringAsync());
        await his.WhenAsync("lock-acquired", "bob");
        var his2 = await PutAsync(bob[1], LeaseOfBob, 60, HttpStatusCode.OK);
        Assert.True(Fence(his2) > Fence(granted));
        using var stale = await alice[0].PostAsJsonAsync(Lease + "/renew", new { leaseId = LeaseOfAlice, fence = Fence(granted) });
        Assert.Equal(HttpStatusCode.Conflict, stale.StatusCode);
    }

    [Fact]
    public async Task A_lease_of_a_dead_node_expires_and_passes_to_a_waiter_elsewhere()
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis: false);
        var (alice, bob) = (await nodes.SignInAsync("alice"), await nodes.SignInAsync("bob"));
        await PutAsync(alice[0], LeaseOfAlice, 3, HttpStatusCode.Created);
        await PutAsync(bob[0], LeaseOfBob, 60, HttpStatusCode.Accepted, wait: true);
        await using var his = await OpenStream.OpenAsync(bob[1], "/api/sse/warranty-updates?branchId=1");
        // Both leases were granted and queued at this node. The other node has no local state about them.
        await nodes.StopAsync(0);
        await his.WhenAsync("lock-acquired", "bob");
        await PutAsync(bob[1], LeaseOfBob, 60, HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_page_that_reconnects_to_another_node_keeps_its_lease()
    {
        var time = new ManualTime();
        await using var nodes = await TwoNodes.StartAsync(withRedis: false, time);
        var (staying, leaving) = (
            await nodes.SignInAsync("alice", "device-that-stays"),
            await nodes.SignInAsync("bob", "device-that-goes")
        );
        await nodes.KnowEachOtherAsync();
        await using var watching = await OpenStream.OpenAsync(
            (await nodes.SignInAsync("carol"))[1],
            "/api/sse/warranty-updates?branchId=1"
        );
        var kept = await OpenStream.OpenAsync(staying[0], "/dunlin/v1/events?topic=users/alice");
        var gone = await OpenStream.OpenAsync(leaving[0], "/dunlin/v1/events?topic=users/bob");
        await PutAsync(staying[0], LeaseOfAlice, 600, HttpStatusCode.Created);
        using var other = await leaving[0]
            .PutAsJsonAsync(Lease.Replace("remarks", "issues", StringComparison.Ordinal), new { leaseId = LeaseOfBob, seconds = 600 });
        Assert.Equal(HttpStatusCode.Created, other.StatusCode);
        await kept.DisposeAsync();
        await gone.DisposeAsync();
        await using var again = await OpenStream.OpenAsync(staying[1], "/dunlin/v1/events?topic=users/alice");
        await WhenAsync(() => nodes.Services(0).GetRequiredService<Fanout.EventFanout>().ConnectionCount == 0);
        // Advances past the grace of ten seconds and one tick. After each step the nodes exchange messages, so that neither drops the
        // other. After the last step time stops, so that the query for the page at the other node cannot time out.
        foreach (var step in Enumerable.Repeat(1.0, 10).Append(0.2))
        {
            await nodes.HearEachOtherAsync();
            time.Advance(TimeSpan.FromSeconds(step));
        }
        await watching.WhenAsync("lock-released", "issues");
        await PutAsync(staying[1], LeaseOfAlice, 600, HttpStatusCode.OK);
        Assert.Equal(0, watching.Count("lock-released", "remarks"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Presence_stats_and_device_messages_are_cluster_wide(bool withRedis)
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis, new ManualTime());
        var alice = await nodes.SignInAsync("alice");
        await nodes.KnowEachOtherAsync();
        await using var there = await OpenStream.OpenAsync(alice[1], "/dunlin/v1/events?topic=users/alice&presence=true");
        await using var device = await OpenStream.OpenAsync(alice[1], "/api/sse?deviceId=phone-of-alice");
        var present = await alice[0].GetFromJsonAsync<JsonElement>("/dunlin/v1/presence?topic=users/alice");
        Assert.Contains("\"alice\"", present.ToString(), StringComparison.Ordinal);
        var stats = await alice[0].GetFromJsonAsync<JsonElement>("/dunlin/v1/stats");
        Assert.Equal((2, 2), (stats.GetProperty("connections").GetArrayLength(), stats.GetProperty("totalConnections").GetInt32()));
        var devices = nodes.Services(0).GetRequiredService<UserDevices>();
        Assert.Equal(new ClusterAnswer<int>(1, 0), await devices.ConnectionCountAsync("alice"));
        Assert.Equal(new ClusterAnswer<bool>(true, 0), await devices.IsUserConnectedAsync("alice"));
        Assert.Equal(new ClusterAnswer<bool>(true, 0), await devices.IsDeviceConnectedAsync("alice", "phone-of-alice"));
        Assert.Equal(new ClusterAnswer<bool>(true, 0), await devices.SendHeartbeatAsync("alice", "phone-of-alice"));
        Assert.True(await devices.SendToDeviceAsync("alice", "phone-of-alice", "tasks", "updated", new { marker = 42 }));
        await device.WhenAsync("\"marker\":42");
        Assert.False(await devices.SendToDeviceAsync("alice", "another-device", "tasks", "updated", new { marker = 43 }));
        Assert.Equal(0, device.Count("\"marker\":43"));
    }

    [Fact]
    public async Task Open_stream_counts_of_each_system_are_cluster_wide()
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis: false, new ManualTime());
        var alice = await nodes.SignInAsync("alice");
        await nodes.KnowEachOtherAsync();
        await using var device = await OpenStream.OpenAsync(alice[1], "/api/sse?deviceId=phone-of-alice");
        await using var pokes = await OpenStream.OpenAsync(alice[1], "/api/v1/replicache/stream");
        await using var hints = await OpenStream.OpenAsync(alice[1], "/api/v1/events/stream");
        foreach (var client in alice)
        {
            var devices = await client.GetFromJsonAsync<JsonElement>("/api/devices");
            Assert.True(
                devices
                    .EnumerateArray()
                    .Single(d => d.GetProperty("deviceId").GetString() == "phone-of-alice")
                    .GetProperty("isConnected")
                    .GetBoolean()
            );
            Assert.Equal(
                1,
                (await client.GetFromJsonAsync<JsonElement>("/api/v1/replicache/stats")).GetProperty("totalConnections").GetInt32()
            );
            using var poked = await client.PostAsync("/api/v1/replicache/poke-user", null);
            Assert.Equal(1, (await poked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("clientsNotified").GetInt32());
            Assert.Equal("{\"connected\":true,\"total_connections\":1}", await client.GetStringAsync("/api/v1/events/status"));
            var sessions = (await client.GetFromJsonAsync<JsonElement>("/api/v1/admin/sessions")).GetProperty("sessions");
            Assert.Equal(3, sessions.EnumerateArray().Sum(session => session.GetProperty("connections").GetInt32()));
        }
    }

    [Fact]
    public async Task An_unresponsive_node_is_reported_and_a_stopped_one_not_waited_for()
    {
        await using var nodes = await TwoNodes.StartAsync(withRedis: false);
        var alice = await nodes.SignInAsync("alice");
        await nodes.KnowEachOtherAsync();
        await using (await OpenStream.OpenAsync(alice[0], "/api/sse?deviceId=desk-of-alice"))
        await using (await OpenStream.OpenAsync(alice[1], "/api/sse?deviceId=phone-of-alice"))
        {
            foreach (var kind in new[] { "stats", "present", "devices", "streams.rxdb", "streams.replicache", "documents.pages" })
                nodes
                    .Services(1)
                    .GetRequiredService<ClusterQuery>()
                    .Answer<JsonElement, string>(kind, static _ => throw new InvalidOperationException("on purpose"));
            foreach (
                var (path, member) in new[]
                {
                    ("/dunlin/v1/stats", "silentNodes"),
                    ("/dunlin/v1/presence?topic=users/alice", "silentNodes"),
                    ("/api/v1/replicache/stats", "silentNodes"),
                    ("/api/v1/events/status", "silent_nodes"),
                    ("/api/v1/admin/sessions", "silent_nodes"),
                }
            )
                Assert.Equal(1, (await alice[0].GetFromJsonAsync<JsonElement>(path)).GetProperty(member).GetInt32());
            var devices = (await alice[0].GetFromJsonAsync<JsonElement>("/api/devices"))
                .EnumerateArray()
                .ToDictionary(
                    device => device.GetProperty("deviceId").GetString()!,
                    device => device.GetProperty("isConnected").ValueKind,
                    StringComparer.Ordinal
                );
            Assert.Equal((JsonValueKind.True, JsonValueKind.Null), (devices["desk-of-alice"], devices["phone-of-alice"]));
        }
        await nodes.StopAsync(1);
        await nodes.IsAloneAsync(0);
        Assert.False((await alice[0].GetFromJsonAsync<JsonElement>("/dunlin/v1/stats")).TryGetProperty("silentNodes", out _));
    }

    [Fact]
    public async Task A_job_enqueued_at_one_node_runs_at_another_without_a_journal_query()
    {
        await using var nodes = await TwoNodes.StartAsync(
            withRedis: false,
            configure: (node, services) =>
            {
                services.ConfigureAll<JobOptions>(jobs => jobs.PollInterval = TimeSpan.FromDays(1));
                if (node == 0)
                    services.Remove(
                        services.Single(service =>
                            service.ServiceType == typeof(IHostedService)
                            && service.ImplementationFactory?.Method.ReturnType == typeof(JobWorker)
                        )
                    );
            }
        );
        var alice = await nodes.SignInAsync("alice");
        // The address may not be fetched, so the job fails permanently on any node.
        using var added = await alice[0]
            .PostAsJsonAsync("/api/v1/wishlists/demo-birthday/items", new { id = "of-another-node", source_url = "http://127.0.0.1:9/x" });
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync());
        await WhenAsync(async () =>
            (await alice[0].GetStringAsync("/api/v1/wishlists/demo-birthday/items")).Contains("\"failed\"", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task G4_A_node_that_dies_after_a_committed_revocation_leaves_nothing_open()
    {
        // Nothing after the commit at this node can notify the other, which has only the transaction.
        await using var nodes = await TwoNodes.StartAsync(
            withRedis: false,
            configure: (node, services) =>
            {
                if (node == 0)
                    services.Remove(
                        services.Single(service =>
                            service.ServiceType == typeof(IHostedService)
                            && service.ImplementationFactory?.GetType().GenericTypeArguments[1].Name == "AccessRelay"
                        )
                    );
            }
        );
        var (alice, dave, carol) = (await nodes.SignInAsync("alice"), await nodes.SignInAsync("dave"), await nodes.SignInAsync("carol"));
        await using var letters = await OpenStream.OpenAsync(dave[1], "/dunlin/v1/events?topic=documents/letters&topic=users/dave");
        await using var hers = await OpenStream.OpenAsync(carol[1], "/api/v1/sse/subscribe");
        using var taken = await alice[0].DeleteAsync("/api/v1/admin/collections/letters/members/dave");
        Assert.True(taken.IsSuccessStatusCode, await taken.Content.ReadAsStringAsync());
        await letters.WhenAsync("dunlin.revoked", "documents/letters");
        // The same for the end of a session, with the final event to its pages.
        var sessions = (await alice[0].GetFromJsonAsync<JsonElement>("/api/v1/admin/sessions")).GetProperty("sessions").EnumerateArray();
        var ended = sessions
            .Single(session => session.GetProperty("username").GetString() == "carol")
            .GetProperty("session_id")
            .GetString();
        using var end = await alice[0].DeleteAsync($"/api/v1/admin/sessions/{ended}");
        Assert.True(end.IsSuccessStatusCode, await end.Content.ReadAsStringAsync());
        await hers.Ended;
        Assert.Equal(1, hers.Count("forceLogout"));
    }

    [Fact]
    public async Task A_timer_scheduled_on_both_nodes_ends_once()
    {
        var time = new ManualTime();
        await using var nodes = await TwoNodes.StartAsync(withRedis: false, time);
        var dave = await nodes.SignInAsync("dave");
        await using var phone = await OpenStream.OpenAsync(dave[1], "/api/sse?deviceId=phone-of-dave");
        using var started = await dave[0]
            .PostAsJsonAsync(
                "/api/timer/start",
                new
                {
                    taskTitle = "Write",
                    plannedMinutes = 5,
                    deviceId = "desk-of-dave",
                }
            );
        Assert.True(started.IsSuccessStatusCode, await started.Content.ReadAsStringAsync());
        await phone.WhenAsync("\"channel\":\"timer\"", "\"type\":\"started\"");
        // One node has a reminder of the timer's end, and the sweeps of both nodes find it.
        for (var step = 0; step < 90; step++)
        {
            time.Advance(TimeSpan.FromSeconds(4));
            // Limits the time that passes during running work.
            if (step % 10 == 0)
                await Task.WhenAll(dave.Select(client => client.GetStringAsync("/api/timer")));
        }
        await phone.WhenAsync(Ended);
        using var marker = await dave[0]
            .PostAsJsonAsync(
                "/api/tasks",
                new
                {
                    id = "marker",
                    title = "marker",
                    deviceId = "desk-of-dave",
                }
            );
        var marked = phone.WhenAsync("marker");
        // A node that has lost a connection to the database waits by this clock before it reads again.
        while (!marked.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await dave[1].GetStringAsync("/api/timer");
        }
        await marked;
        Assert.Equal(1, phone.Count(Ended));
        var sessions = await dave[1].GetStringAsync("/api/timer/sessions");
        Assert.Equal(2, sessions.Split("\"Write\"").Length);
    }

    private static async Task<JsonElement> PutAsync(
        HttpClient client,
        string leaseId,
        int seconds,
        HttpStatusCode expected,
        bool wait = false
    )
    {
        using var answer = await client.PutAsJsonAsync(
            Lease,
            new
            {
                leaseId,
                seconds,
                wait,
            }
        );
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(expected == answer.StatusCode, $"{answer.StatusCode}: {body}");
        return body;
    }

    private static long Fence(JsonElement grant) => grant.GetProperty("fence").GetInt64();

    private static async Task<string> FirstFileAsync(HttpClient client)
    {
        var text = await client.GetStringAsync("/api/v1/files/list");
        var at = text.IndexOf("\"stable_id\":\"", StringComparison.Ordinal) + "\"stable_id\":\"".Length;
        return text[at..text.IndexOf('"', at)];
    }

    private static Task WhenAsync(Func<bool> condition) => WhenAsync(() => Task.FromResult(condition()));

    private static async Task WhenAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
    }
}
