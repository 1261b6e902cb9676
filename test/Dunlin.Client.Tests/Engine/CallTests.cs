using System.Text.Json;
using Dunlin.Client.Tests.Support;
using Dunlin.Server.Tests.Support;

namespace Dunlin.Client.Tests.Engine;

/// <summary>Each call of the client against the real program.</summary>
public sealed class CallTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static readonly (string, string)[] All = [("subscribe", "**"), ("publish", "**"), ("hold", "**"), ("take", "**")];

    [Fact]
    public async Task Published_events_arrive_with_topic_type_data_and_position()
    {
        using var client = server.Client(Mint.User("ann", All));
        await using var reader = Reader.Start(client, ["calls/1/**"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        var result = await client.PublishAsync(OutgoingEvent.FromJson("calls/1/a", "said", """{"n":1}"""));
        var item = await reader.NextAsync();
        Assert.Equal(("calls/1/a", "said", """{"n":1}"""), (item.Topic, item.Type, item.GetText()));
        Assert.Equal(result.Positions[0], item.Position);
        Assert.False(item.IsReset);
    }

    [Fact]
    public async Task Many_topics_are_sent_as_a_form()
    {
        using var client = server.Client(Mint.User("ann", All));
        var topics = Enumerable.Range(0, 64).Select(i => $"calls/form/{i}/{new string('x', 150)}").ToList();
        await using var reader = Reader.Start(client, topics);
        await reader.WhenAsync(ConnectionStatus.Live);
        await client.PublishAsync(OutgoingEvent.FromJson(topics[63], "said", "1"));
        Assert.Equal(topics[63], (await reader.NextAsync()).Topic);
    }

    [Fact]
    public async Task Same_idempotency_key_publishes_once()
    {
        using var client = server.Client(Mint.User("ann", All));
        var first = await client.PublishAsync(OutgoingEvent.FromJson("calls/key", "e", "1"), "key-1");
        var second = await client.PublishAsync(OutgoingEvent.FromJson("calls/key", "e", "1"), "key-1");
        Assert.Equal(first.Positions, second.Positions);
        Assert.Single((await client.GetJournalPageAsync("calls/key")).Events);
    }

    [Fact]
    public async Task Journal_pages_continue_at_their_position()
    {
        using var client = server.Client(Mint.User("ann", All));
        await client.PublishAsync([.. Enumerable.Range(0, 5).Select(i => OutgoingEvent.FromJson("calls/pages", "e", $"{i}"))]);
        var first = await client.GetJournalPageAsync("calls/pages", limit: 3);
        Assert.True(first.HasMore);
        var second = await client.GetJournalPageAsync("calls/pages", first.Position, 3);
        Assert.Equal([0, 1, 2, 3, 4], first.Events.Concat(second.Events).Select(e => e.Data.GetInt32()));
        Assert.False(second.HasMore);
    }

    [Fact]
    public async Task Present_reader_is_listed_and_stats_count_its_stream()
    {
        using var client = server.Client(Mint.User("cleo", All));
        await using var reader = Reader.Start(client, ["calls/present"], new SubscribeOptions { Presence = true });
        await reader.WhenAsync(ConnectionStatus.Live);
        var present = await client.GetPresenceAsync("calls/present");
        Assert.Equal("cleo", Assert.Single(present.Present).UserId);
        var connection = Assert.Single((await client.GetStatsAsync()).Connections);
        Assert.Equal(reader.State.ConnectionId, connection.ConnectionId);
        Assert.Null((await client.GetStatsAsync()).Version);
        using var admin = server.Client(Mint.Backend());
        Assert.NotNull((await admin.GetStatsAsync()).Version);
    }

    [Fact]
    public async Task Administrator_lists_and_revokes_a_user_whose_stream_then_stops()
    {
        using var admin = server.Client(Mint.Backend());
        using var client = server.Client(Mint.User("dora", All));
        await using var reader = Reader.Start(client, ["calls/revoked"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        Assert.Single((await admin.GetConnectionsAsync("dora")).Connections);
        var revoked = await admin.RevokeAsync(new UserRevocation("dora") { Reason = "test" });
        Assert.Equal("dora", revoked.UserId);
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => reader.Ended);
        Assert.Equal(ProblemKind.SignedOut, error.Problem.Kind);
        Assert.Equal(ConnectionStatus.SignedOut, reader.State.Status);
    }

    [Fact]
    public async Task Forbidden_topic_stops_the_subscription_with_its_name()
    {
        using var client = server.Client(Mint.User("ann", ("subscribe", "calls/*")));
        await using var reader = Reader.Start(client, ["calls/a", "secret/b"]);
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => reader.Ended);
        Assert.Equal(
            (ProblemKind.Forbidden, ProblemClass.Stop, "secret/b"),
            (error.Problem.Kind, error.Problem.Class, error.Problem.Topic)
        );
    }

    [Fact]
    public async Task Invalid_event_is_refused_with_field_and_hint()
    {
        using var client = server.Client(Mint.User("ann", All));
        var error = await Assert.ThrowsAsync<DunlinClientException>(() =>
            client.PublishAsync(OutgoingEvent.FromJson("calls/a", "dunlin.forged", "1"))
        );
        Assert.Equal(("invalid_field", "type", 400), (error.Problem.Code, error.Problem.Field, error.Problem.Status));
        Assert.NotNull(error.Problem.Hint);
        Assert.Contains("invalid_field", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slow_reader_has_each_event_once_in_order()
    {
        using var client = server.Client(Mint.User("ann", All));
        var live = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var streams = 0;
        var options = new SubscribeOptions
        {
            OnStateChanged = state =>
            {
                streams = state.Stream;
                if (state.Status == ConnectionStatus.Live)
                    live.TrySetResult();
            },
        };
        await using var items = client.SubscribeAsync("calls/slow", options).GetAsyncEnumerator();
        var first = items.MoveNextAsync();
        await live.Task.WithinLimit();
        // 8 MB are more than the buffers of both sockets: the server has to continue from its journal.
        var filler = new string('x', 4000);
        for (var batch = 0; batch < 40; batch++)
            await client.PublishAsync([
                .. Enumerable
                    .Range(batch * 50, 50)
                    .Select(i => OutgoingEvent.FromJson("calls/slow", "e", $$"""{"n":{{i}},"x":"{{filler}}"}""")),
            ]);
        Assert.True(await first);
        for (var i = 0; i < 2_000; i++)
        {
            Assert.False(items.Current.IsReset);
            Assert.Equal(i, JsonDocument.Parse(items.Current.Data).RootElement.GetProperty("n").GetInt32());
            if (i < 1_999)
                Assert.True(await items.MoveNextAsync());
        }
        Assert.Equal(1, streams);
    }

    [Fact]
    public async Task Ticket_opens_a_stream_without_a_header()
    {
        using var client = server.Client(Mint.User("ann", All));
        var ticket = await client.CreateTicketAsync();
        Assert.Equal(30, ticket.ExpiresIn);
        using var http = new HttpClient { BaseAddress = server.Address };
        using var response = await http.GetAsync(
            $"/dunlin/v1/events?topic=calls/ticket&ticket={Uri.EscapeDataString(ticket.Ticket)}",
            HttpCompletionOption.ResponseHeadersRead
        );
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Lease_of_another_process_is_renewed_and_released_by_its_id()
    {
        // Two clients share nothing, like two processes.
        using var first = server.Client(Mint.User("ann", All));
        using var second = server.Client(Mint.User("ann", All));
        await using var lease = await first.Leases.AcquireAsync(
            "files/of-another/1",
            new AcquireOptions { Duration = TimeSpan.FromSeconds(60) }
        );
        var renewed = await second.Leases.RenewAsync(lease.Resource, lease.LeaseId, lease.Fence, 90);
        Assert.Equal((lease.Fence, 90, "held"), (renewed.Fence, renewed.Seconds, renewed.State));
        await second.Leases.ReleaseAsync(lease.Resource, lease.LeaseId);
        await second.Leases.ReleaseAsync(lease.Resource, lease.LeaseId); // repeatable
        Assert.Empty((await second.Leases.ListAsync("files/of-another")).Leases);
        var lost = await Assert.ThrowsAsync<DunlinClientException>(() =>
            second.Leases.RenewAsync(lease.Resource, lease.LeaseId, lease.Fence)
        );
        Assert.Equal((ProblemKind.Lost, "released"), (lost.Problem.Kind, lost.Problem.LostReason));
    }

    [Fact]
    public async Task Lease_id_of_another_user_releases_and_renews_nothing()
    {
        using var ann = server.Client(Mint.User("ann", All));
        using var bob = server.Client(Mint.User("bob", All));
        await using var lease = await ann.Leases.AcquireAsync("files/of-another/2");
        await bob.Leases.ReleaseAsync(lease.Resource, lease.LeaseId);
        await ann.Leases.ReleaseAsync(lease.Resource, "some-other-lease-id");
        var refused = await Assert.ThrowsAsync<DunlinClientException>(() =>
            bob.Leases.RenewAsync(lease.Resource, lease.LeaseId, lease.Fence)
        );
        Assert.Equal(ProblemKind.Lost, refused.Problem.Kind);
        Assert.Equal(lease.Fence, Assert.Single((await ann.Leases.ListAsync(lease.Resource)).Leases).Fence);
        // An id that no server would accept is refused by the server, or before a request if no header can carry it.
        var invalid = await Assert.ThrowsAsync<DunlinClientException>(() => ann.Leases.ReleaseAsync(lease.Resource, "short"));
        Assert.Equal(400, invalid.Problem.Status);
        await Assert.ThrowsAsync<ArgumentException>(() => ann.Leases.ReleaseAsync(lease.Resource, "a\nb: c"));
    }

    [Fact]
    public async Task Own_lease_that_is_released_by_its_id_is_lost_at_once()
    {
        using var ann = server.Client(Mint.User("ann", All));
        await using var lease = await ann.Leases.AcquireAsync("files/of-another/3");
        await ann.Leases.ReleaseAsync(lease.Resource, lease.LeaseId);
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(("released", 0), (lease.LostReason, ann.Leases.Held.Count));
    }

    [Fact]
    public async Task Lease_is_held_listed_handed_off_and_released()
    {
        using var ann = server.Client(Mint.User("ann", All));
        using var bob = server.Client(Mint.User("bob", All));
        await using var lease = await ann.Leases.AcquireAsync("files/a/b c".Replace(' ', '-'));
        Assert.True(lease.IsHeld);
        var attempt = await bob.Leases.TryAcquireAsync(lease.Resource);
        Assert.Null(attempt.Lease);
        Assert.Equal("ann", attempt.Holder?.UserId);
        Assert.NotNull(attempt.Holder?.ExpiresAt);
        Assert.Equal(lease.Fence, Assert.Single((await bob.Leases.ListAsync("files/a")).Leases).Fence);

        var queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = bob.Leases.AcquireAsync(lease.Resource, new AcquireOptions { OnQueued = _ => queued.TrySetResult() });
        await queued.Task;
        await lease.HandOffAsync("bob");
        Assert.Equal("handedOff", lease.LostReason);
        bob.Leases.Notify(lease.Resource);
        await using var next = await waiting;
        Assert.True(next.Fence > lease.Fence);
        await next.ReleaseAsync();
        Assert.Empty((await bob.Leases.ListAsync("files/a")).Leases);
        Assert.Empty(bob.Leases.Held);
    }

    [Fact]
    public async Task Preempted_holder_loses_its_lease()
    {
        using var ann = server.Client(Mint.User("ann", All));
        using var bob = server.Client(Mint.User("bob", All));
        await using var lease = await ann.Leases.AcquireAsync("files/preempted");
        await using var taken = await bob.Leases.PreemptAsync("files/preempted", "urgent");
        Assert.True(taken.Fence > lease.Fence);
        lease.Check();
        await Wait.ForAsync(lease.Lost);
        Assert.Equal("taken", lease.LostReason);
    }

    [Fact]
    public async Task Grace_period_lets_the_holder_save_and_then_passes_the_lease()
    {
        using var ann = server.Client(Mint.User("ann", All));
        using var bob = server.Client(Mint.User("bob", All));
        await using var lease = await ann.Leases.AcquireAsync("files/graced");
        var taking = bob.Leases.PreemptAsync("files/graced", "urgent", TimeSpan.FromSeconds(60));
        await Wait.UntilAsync(
            () =>
            {
                lease.Check();
                return lease.Ending.IsCancellationRequested || taking.IsCompleted;
            },
            () => $"The lease is not ending; the preemption is {taking.Status}."
        );
        Assert.True(lease.IsHeld);
        await lease.ReleaseAsync();
        bob.Leases.Notify("files/graced");
        await using var taken = await taking;
        Assert.True(taken.Fence > lease.Fence);
    }
}
