using Dunlin.Journal;
using Dunlin.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Documents.Tests;

/// <summary>Locks: one session holds each; hand-over; every end is announced.</summary>
public sealed class LockTests : IAsyncLifetime
{
    private DocumentsHost _host = null!;
    private DocumentsClient _bob = null!;
    private DocumentsClient _carol = null!;
    private string _file = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await DocumentsHost.StartAsync();
        _bob = await _host.SignInAsync("bob");
        _carol = await _host.SignInAsync("carol");
        _file = (await _bob.FilesAsync("letters")).Versions[0];
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task One_session_holds_a_lock_and_others_get_holder_and_expiry()
    {
        var grant = (await _bob.AcquireAsync(_file)).Ok();
        Assert.Equal(("locked", 90), (grant.Text("status"), (int)grant.Number("seconds")));
        var refused = (await _carol.AcquireAsync(_file)).Is(423, "lease_held");
        Assert.Equal("Bob Baker", refused.Body.GetProperty("holder").GetProperty("name").GetString());
        Assert.Equal(grant.Text("expires_at"), refused.Text("expiresAt"));
        Assert.DoesNotContain(_bob.SessionId, refused.Body.ToString(), StringComparison.Ordinal);

        var check = (await _carol.PostAsync("files/check_lock", new { file_id = _file })).Ok().Body;
        Assert.True(check.GetProperty("is_locked").GetBoolean());
        Assert.False(check.GetProperty("locked_by").GetProperty("mine").GetBoolean());
        var locks = (await _bob.GetAsync("files/locks")).Ok().Body.GetProperty("locks");
        Assert.True(Assert.Single(locks.EnumerateArray()).GetProperty("locked_by").GetProperty("mine").GetBoolean());
    }

    [Fact]
    public async Task A_waiter_gets_no_lock_when_the_file_is_deleted()
    {
        var file = (await _bob.SaveNewAsync(_file, "<own/>")).Ok().Text("file_id")!;
        await _bob.LockAsync(file);
        Assert.Equal(202, (await _carol.WaitForAsync(file)).Code);
        (await _bob.DeleteAsync(file)).Ok();
        Assert.Empty((await _carol.GetAsync("files/locks")).Ok().Body.GetProperty("locks").EnumerateArray());
        var store = _host.Services.GetRequiredService<IStore>();
        var rows = await store.ReadAsync(async (scope, ct) => await scope.LeaseTable.ListAsync(new LeaseQuery("documents"), ct));
        Assert.All(rows, row => Assert.Equal((null, 0), (row.LeaseId, row.Waiters.Count)));
    }

    [Fact]
    public async Task Two_sessions_of_a_user_are_separate_and_tabs_of_a_session_are_not()
    {
        var first = await _bob.LockAsync(_file);
        Assert.Equal(first, await _bob.LockAsync(_file));
        var elsewhere = await _host.SignInAsync("bob");
        (await elsewhere.AcquireAsync(_file)).Is(423, "lease_held");
        (await elsewhere.HeartbeatAsync(_file, first)).Is(409, "lease_lost");
        (await elsewhere.SaveAsync(_file, "<a/>", first)).Is(409, "lease_lost");
        Assert.False((await elsewhere.ReleaseAsync(_file, first)).Ok().Body.GetProperty("released").GetBoolean());
    }

    [Fact]
    public async Task A_heartbeat_extends_a_lock_by_90_seconds()
    {
        var lease = await _bob.LockAsync(_file);
        for (var i = 0; i < 5; i++)
        {
            _host.Time.Advance(TimeSpan.FromSeconds(60));
            (await _bob.HeartbeatAsync(_file, lease)).Ok();
        }
        (await _carol.AcquireAsync(_file)).Is(423, "lease_held");
        Assert.Equal(lease, await _bob.LockAsync(_file));
    }

    [Fact]
    public async Task A_heartbeat_after_the_loss_returns_the_reason_and_acquires_nothing()
    {
        var lease = await _bob.LockAsync(_file);
        _host.Time.Advance(TimeSpan.FromSeconds(91));
        var lost = (await _bob.HeartbeatAsync(_file, lease)).Is(409, "lease_lost");
        Assert.Equal("expired", lost.Text("reason"));
        (await _bob.HeartbeatAsync(_file)).Is(409, "lease_lost");
        Assert.False((await _carol.PostAsync("files/check_lock", new { file_id = _file })).Ok().Body.GetProperty("is_locked").GetBoolean());

        await _carol.LockAsync(_file);
        var taken = (await _bob.HeartbeatAsync(_file, lease)).Is(409, "lease_lost");
        Assert.Equal("Carol Carter", taken.Body.GetProperty("holder").GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_heartbeat_with_an_older_token_is_lost_despite_a_newer_grant()
    {
        var before = await _bob.LockAsync(_file);
        _host.Time.Advance(TimeSpan.FromSeconds(91));
        var now = await _bob.LockAsync(_file);
        Assert.True(now > before);
        (await _bob.HeartbeatAsync(_file, before)).Is(409, "lease_lost");
        (await _bob.HeartbeatAsync(_file, now)).Ok();
    }

    [Fact]
    public async Task A_late_release_does_not_end_the_next_grant_of_the_session()
    {
        var before = await _bob.LockAsync(_file);
        (await _bob.ReleaseAsync(_file, before)).Ok();
        await _bob.LockAsync(_file);
        Assert.False((await _bob.ReleaseAsync(_file, before)).Ok().Body.GetProperty("released").GetBoolean());
        (await _carol.AcquireAsync(_file)).Is(423, "lease_held");
    }

    public enum End
    {
        Release,
        Expiry,
        Disconnect,
        SignOut,
        EndedByAdministrator,
        ForcedByAdministrator,
        Deletion,
    }

    [Theory]
    [InlineData(End.Release, "lock_released")]
    [InlineData(End.Expiry, "lock_expired")]
    [InlineData(End.Disconnect, "lock_expired")]
    [InlineData(End.SignOut, "lock_released")]
    [InlineData(End.EndedByAdministrator, "lock_released")]
    [InlineData(End.ForcedByAdministrator, "lock_released")]
    [InlineData(End.Deletion, "lock_released")]
    public async Task Every_end_of_a_lock_is_announced(End end, string reason)
    {
        var admin = await _host.SignInAsync("alice");
        var (holder, reader) = (_carol, _bob);
        var stream = await reader.SubscribeAsync();
        await using var own = await RawStream.OpenAsync(holder.Http, "/api/v1/sse/subscribe");
        await holder.LockAsync(_file);
        await stream.WhenAsync("fileDataChanged", "lock_acquired", _file);

        switch (end)
        {
            case End.Release:
                (await holder.ReleaseAsync(_file)).Ok();
                break;
            case End.Expiry:
                await PassAsync(94);
                break;
            case End.Disconnect:
                await own.DisposeAsync();
                await WhenGoneAsync(admin, holder.SessionId);
                await PassAsync(94);
                break;
            case End.SignOut:
                (await holder.PostAsync("auth/logout", new { })).Ok();
                break;
            case End.EndedByAdministrator:
                (await admin.SendAsync(HttpMethod.Delete, $"admin/sessions/{holder.SessionId}", null)).Ok();
                break;
            case End.ForcedByAdministrator:
                (await admin.PostAsync($"files/{_file}/force-release", new { })).Ok();
                break;
            default:
                (await holder.DeleteAsync(_file)).Ok();
                break;
        }

        await stream.WhenAsync("lockReleased", file: _file);
        await stream.WhenAsync("fileDataChanged", reason, _file);
        Assert.Equal(1, stream.Count("lockReleased"));
    }

    [Fact]
    public async Task A_lock_with_refused_requests_expires_in_time_and_is_announced()
    {
        var stream = await _carol.SubscribeAsync();
        await _bob.LockAsync(_file);
        (await _carol.AcquireAsync(_file)).Is(423, "lease_held");
        await PassAsync(94);
        await stream.WhenAsync("lockReleased", file: _file);
    }

    [Fact]
    public async Task A_lock_outlives_its_connection_until_it_expires()
    {
        var stream = await _carol.SubscribeAsync();
        var admin = await _host.SignInAsync("alice");
        long lease;
        await using (await RawStream.OpenAsync(_bob.Http, "/api/v1/sse/subscribe"))
            lease = await _bob.LockAsync(_file);
        await WhenGoneAsync(admin, _bob.SessionId);
        await PassAsync(80);
        (await _carol.AcquireAsync(_file)).Is(423, "lease_held");
        (await _bob.HeartbeatAsync(_file, lease)).Ok();
        await PassAsync(80);
        (await _bob.SaveAsync(_file, "<letter>After an interruption</letter>", lease)).Ok();
        Assert.Equal(0, stream.Count("lockReleased"));
    }

    [Fact]
    public async Task Waiters_are_listed_by_name_in_order_and_leave_with_their_page()
    {
        var admin = await _host.SignInAsync("alice");
        await _bob.LockAsync(_file);
        await using (await RawStream.OpenAsync(_carol.Http, "/api/v1/sse/subscribe"))
        {
            Assert.Equal(202, (await _carol.WaitForAsync(_file)).Code);
            Assert.Equal(202, (await admin.WaitForAsync(_file)).Code);
            Assert.Equal(["Carol Carter", "Alice Archer"], await QueueAsync());
            var stream = await _bob.SubscribeAsync();
            (await admin.ReleaseAsync(_file)).Ok();
            await stream.WhenAsync("fileDataChanged", "lock_request_ended", _file);
            Assert.Equal(202, (await admin.WaitForAsync(_file)).Code);
        }
        await WhenGoneAsync(admin, _carol.SessionId);
        await PassAsync(14);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await QueueAsync()).Contains("Carol Carter"))
            patience.Token.ThrowIfCancellationRequested();
        Assert.Equal(["Alice Archer"], await QueueAsync());

        async Task<IEnumerable<string?>> QueueAsync() =>
            (await admin.GetAsync("files/locks"))
                .Ok()
                .Body.GetProperty("locks")[0]
                .GetProperty("locked_by")
                .GetProperty("queue")
                .EnumerateArray()
                .Select(name => name.GetString());
    }

    [Fact]
    public async Task A_lock_from_the_queue_outlives_its_connection_too()
    {
        var admin = await _host.SignInAsync("alice");
        await _bob.LockAsync(_file);
        await using (await RawStream.OpenAsync(_carol.Http, "/api/v1/sse/subscribe"))
        {
            await _carol.WaitForAsync(_file);
            (await _bob.ReleaseAsync(_file)).Ok();
            (await _carol.WaitForAsync(_file)).Ok();
        }
        await WhenGoneAsync(admin, _carol.SessionId);
        await PassAsync(60);
        (await _bob.AcquireAsync(_file)).Is(423, "lease_held");
    }

    [Fact]
    public async Task In_100_hand_overs_exactly_one_waiting_reader_wins()
    {
        var readers = new List<(DocumentsClient Client, RawStream Stream)>();
        foreach (var name in new[] { "bob", "carol", "alice", "carol" })
        {
            var client = await _host.SignInAsync(name);
            readers.Add((client, await client.SubscribeAsync()));
        }
        var holder = readers[0].Client;
        var lease = await holder.LockAsync(_file);
        var fences = new List<long> { lease };
        for (var round = 0; round < 100; round++)
        {
            var racing = readers
                .Where(r => r.Client != holder)
                .Select(r => RaceAsync(r.Client, r.Stream, r.Stream.Count("lockReleased") + 1))
                .ToList();
            (await holder.ReleaseAsync(_file, lease)).Ok();
            var answers = await Task.WhenAll(racing);
            var winner = Assert.Single(answers, a => a.Answer.Code == 200);
            Assert.All(answers.Where(a => a.Client != winner.Client), a => a.Answer.Is(423, "lease_held"));
            (holder, lease) = (winner.Client, winner.Answer.Number("lease"));
            fences.Add(lease);
        }
        Assert.Equal(101, fences.Distinct().Count());
        Assert.Equal(fences.Order(), fences);

        async Task<(DocumentsClient Client, Answer Answer)> RaceAsync(DocumentsClient client, RawStream stream, int release)
        {
            await stream.WhenAsync(frames => frames.Count(f => f.Is("lockReleased")) >= release);
            return (client, await client.AcquireAsync(_file));
        }
    }

    [Fact]
    public async Task A_queued_waiter_gets_the_lock_before_racing_readers()
    {
        var alice = await _host.SignInAsync("alice");
        var (holding, waiting) = (await _bob.SubscribeAsync(), await _carol.SubscribeAsync());
        var lease = await _bob.LockAsync(_file);
        var queued = await _carol.WaitForAsync(_file);
        Assert.Equal((202, "queued", 1), (queued.Code, queued.Text("status"), (int)queued.Number("position")));
        await holding.WhenAsync("fileDataChanged", "lock_requested", _file);

        (await _bob.ReleaseAsync(_file, lease)).Ok();

        (await alice.AcquireAsync(_file)).Is(423, "lease_held");
        await holding.WhenAsync(frames =>
            frames.Any(f => f.Is("fileDataChanged", "lock_acquired", _file) && f.Member("locked_by") == "Carol Carter")
        );
        await waiting.WhenAsync(frames =>
            frames.Any(f => f.Is("fileDataChanged", "lock_acquired", _file) && f.Member("locked_by") == "Carol Carter")
        );
        (await _carol.SaveAsync(_file, "<mine/>", await _carol.LockAsync(_file))).Ok();
    }

    [Fact]
    public async Task A_session_receives_no_events_of_its_own_changes()
    {
        var (own, others) = (await _bob.SubscribeAsync(), await _carol.SubscribeAsync());
        await _bob.LockAsync(_file);
        (await _bob.ReleaseAsync(_file)).Ok();
        await _carol.LockAsync(_file);
        await own.WhenAsync("fileDataChanged", "lock_acquired", _file);
        await others.WhenAsync("lockReleased", file: _file);
        Assert.Equal(["connected", "fileDataChanged"], own.Frames.Select(f => f.Name));
        Assert.Equal("Carol Carter", own.Frames[1].Member("locked_by"));
    }

    [Fact]
    public async Task The_stream_uses_the_names_of_the_contract()
    {
        var stream = await _carol.SubscribeAsync();
        await _bob.LockAsync(_file);
        (await _bob.ReleaseAsync(_file)).Ok();
        await stream.WhenAsync("fileDataChanged", "lock_released");
        Assert.Contains("event: connected\ndata: Stream connected\n", stream.Text, StringComparison.Ordinal);
        Assert.Contains(
            $"event: fileDataChanged\ndata: {{\"reason\":\"lock_acquired\",\"stable_id\":\"{_file}\",\"locked_by\":\"Bob Baker\"}}\n",
            stream.Text,
            StringComparison.Ordinal
        );
        Assert.Contains($"event: lockReleased\ndata: {{\"stable_id\":\"{_file}\"}}\n", stream.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("topic:", stream.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Locks_cannot_bypass_the_rules_through_the_engine_endpoint()
    {
        using var response = await _bob.Http.PutAsync(
            new Uri($"/dunlin/v1/leases/documents/letters/{_file}", UriKind.Relative),
            System.Net.Http.Json.JsonContent.Create(new { leaseId = "0123456789abcdef", seconds = 30 })
        );
        Assert.Equal(403, (int)response.StatusCode);
        (await _carol.AcquireAsync(_file)).Ok();
    }

    // Advances time in steps, so that the server can do due work: a unit of work exceeds its limit when time jumps.
    private async Task PassAsync(int seconds)
    {
        for (var i = 0; i < seconds; i += 2)
        {
            _host.Time.Advance(TimeSpan.FromSeconds(2));
            await _carol.GetAsync("files/locks");
        }
    }

    // The server notices a closed stream later. The administrator's list shows when.
    private static async Task WhenGoneAsync(DocumentsClient admin, string sessionId)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            var sessions = (await admin.GetAsync("admin/sessions")).Ok().Body.GetProperty("sessions").EnumerateArray();
            if (sessions.Single(s => s.GetProperty("session_id").GetString() == sessionId).GetProperty("connections").GetInt32() == 0)
                return;
            await Task.Yield();
        }
    }
}
