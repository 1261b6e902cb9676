using Dunlin.Access;
using Dunlin.Backplane;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of <see cref="Revocations"/> on each back end with records.</summary>
public abstract class RevocationConformance : ConformanceSuite
{
    private static readonly SpaceName Space = SpaceName.Of("revocations");

    private readonly List<Node> _nodes = [];

    /// <summary>Checks that a revocation invalidates exactly the credentials issued up to its time.</summary>
    [Fact]
    public async Task G4_What_was_issued_up_to_the_moment_is_revoked_and_nothing_else()
    {
        var node = await StartAsync();
        var now = Time.GetUtcNow();
        Assert.False(node.Revocations.IsRevoked("ann", "s1", null));
        Assert.Equal(now, await node.Revocations.RevokeAsync("ann", new RevocationRequest(), Cancellation));
        Assert.True(node.Revocations.IsRevoked("ann", null, now));
        Assert.True(node.Revocations.IsRevoked("ann", "s1", now.AddDays(-1)));
        Assert.True(node.Revocations.IsRevoked("ann", null, null));
        Assert.False(node.Revocations.IsRevoked("ann", null, now.AddTicks(1)));
        Assert.False(node.Revocations.IsRevoked("ann2", null, null));
        Assert.False(node.Revocations.IsRevoked("an", "n", null));
    }

    /// <summary>Checks that a revocation of a session applies to its user only.</summary>
    [Fact]
    public async Task A_session_is_revoked_for_its_own_user_alone()
    {
        var node = await StartAsync();
        await node.Revocations.RevokeAsync("ann", new RevocationRequest { SessionId = "s1" }, Cancellation);
        Assert.True(node.Revocations.IsRevoked("ann", "s1", Time.GetUtcNow()));
        Assert.False(node.Revocations.IsRevoked("ann", "s2", Time.GetUtcNow()));
        Assert.False(node.Revocations.IsRevoked("ann", null, Time.GetUtcNow()));
        Assert.False(node.Revocations.IsRevoked("bob", "s1", Time.GetUtcNow()));
    }

    /// <summary>Checks that a later revocation cannot weaken an earlier one.</summary>
    [Fact]
    public async Task A_revocation_is_never_weakened()
    {
        var node = await StartAsync();
        var now = Time.GetUtcNow();
        await node.Revocations.RevokeAsync("ann", new RevocationRequest(), Cancellation);
        Assert.Equal(now, await node.Revocations.RevokeAsync("ann", new RevocationRequest { Before = now.AddHours(-1) }, Cancellation));
        Assert.True(node.Revocations.IsRevoked("ann", null, now));
        var error = await Assert.ThrowsAsync<DunlinException>(() =>
            node.Revocations.RevokeAsync("ann", new RevocationRequest { Before = now.AddSeconds(1) }, Cancellation).AsTask()
        );
        Assert.Equal((ErrorCode.InvalidField, "before"), (error.Code, error.Field));
        Assert.True((await StartAsync()).Revocations.IsRevoked("ann", null, now));
        // A notification of an earlier revocation arrives late. It closes the connection, so the end of the connection shows its arrival.
        var connection = node.Connect(new Caller("ann", "Ann") { IssuedAt = now.AddHours(-2) });
        var earlier = new Revocations.Entry("ann", null, now.AddHours(-1), ForceRefresh: false);
        node.Fanout.PublishTransient(
            EventDraft.OfEngine(TopicName.Of("dunlin", "revocations"), "revoked", earlier, RevocationJson.Default.Entry)
        );
        await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.True(node.Revocations.IsRevoked("ann", null, now));
    }

    /// <summary>Checks that any number of revocations survives a restart.</summary>
    [Fact]
    public async Task What_was_revoked_holds_after_a_restart_however_much_it_is()
    {
        var node = await StartAsync();
        const int users = RecordLimits.MaxPageRecords + 10;
        var random = TestSeed.NewRandom(out var seed);
        for (var i = 0; i < users; i++)
            await node.Revocations.RevokeAsync(
                $"user {i}",
                new RevocationRequest { SessionId = random.Next(2) == 0 ? null : "s" },
                Cancellation
            );
        var again = await StartAsync();
        Assert.Equal(users, again.Revocations.Count);
        for (var i = 0; i < users; i++)
            Assert.True(again.Revocations.IsRevoked($"user {i}", "s", Time.GetUtcNow()), $"user {i}, seed {seed}");
    }

    /// <summary>Checks that all nodes close the streams of a revoked credential.</summary>
    [Fact]
    public async Task G4_Every_node_ends_the_streams_that_the_credential_opened()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var now = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromSeconds(1));
        var old = there.Connect(new Caller("ann", "Ann") { IssuedAt = now });
        var fresh = there.Connect(new Caller("ann", "Ann") { IssuedAt = now.AddSeconds(2) });
        var other = there.Connect(new Caller("bob", "Bob") { IssuedAt = now });
        var renewed = there.Connect(new Caller("cat", "Cat") { IssuedAt = now, SessionId = "s1" });
        await here.Revocations.RevokeAsync("ann", new RevocationRequest(), Cancellation);
        await here.Revocations.RevokeAsync("cat", new RevocationRequest { SessionId = "s1", ForceRefresh = true }, Cancellation);
        Assert.Equal(ConnectionEnd.SignedOut, await old.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        Assert.Equal(ConnectionEnd.TokenExpired, await renewed.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        Assert.False(fresh.Completion.IsCompleted);
        Assert.False(other.Completion.IsCompleted);
        Assert.True(there.Revocations.IsRevoked("ann", null, now));
    }

    /// <summary>Checks that a revocation releases the leases of the user, or of the one revoked session only.</summary>
    [Fact]
    public async Task A_revocation_releases_all_leases_of_the_user_or_of_one_session_only()
    {
        var node = await StartAsync();
        await HoldAsync(node, "files/1", new LeaseOwner("ann", "Ann"));
        await HoldAsync(node, "files/2", new LeaseOwner("ann", "Ann", "s1"));
        await HoldAsync(node, "files/3", new LeaseOwner("bob", "Bob", "s1"));
        await HoldAsync(node, "files/4", new LeaseOwner("bob", "Bob", "s2"));
        await node.Leases.AcquireAsync(
            new LeaseRequest(
                ResourceName.Parse("files/4"),
                "ann-waits-here",
                new LeaseOwner("ann", "Ann"),
                LeaseDuration.FromSeconds(60),
                Wait: true
            ),
            cancellationToken: Cancellation
        );
        await node.Revocations.RevokeAsync("ann", new RevocationRequest(), Cancellation);
        Assert.Equal(["files/3", "files/4"], await HeldAsync(node));
        // A session of another user with the same id.
        await node.Revocations.RevokeAsync("cat", new RevocationRequest { SessionId = "s1" }, Cancellation);
        Assert.Equal(["files/3", "files/4"], await HeldAsync(node));
        await node.Revocations.RevokeAsync("bob", new RevocationRequest { SessionId = "s2" }, Cancellation);
        // The waiter has left the queue too.
        Assert.Equal(["files/3"], await HeldAsync(node));
        await node.Revocations.RevokeAsync("bob", new RevocationRequest { ForceRefresh = true }, Cancellation);
        Assert.Equal(["files/3"], await HeldAsync(node));
    }

    /// <summary>Checks that revocations of sessions are deleted after a time, and revocations of users never.</summary>
    [Fact]
    public async Task Sessions_are_forgotten_in_time_and_users_never()
    {
        var node = await StartAsync();
        await node.Revocations.RevokeAsync("ann", new RevocationRequest(), Cancellation);
        for (var i = 0; i < 15; i++)
            await node.Revocations.RevokeAsync("bob", new RevocationRequest { SessionId = $"s{i}" }, Cancellation);
        Time.Advance(TimeSpan.FromHours(1));
        await node.Revocations.RevokeAsync("bob", new RevocationRequest { SessionId = "late" }, Cancellation);
        Assert.Equal(17, node.Revocations.Count);
        Time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(30));
        for (var i = 0; i < 2; i++)
            await node.Revocations.RevokeAsync("cat", new RevocationRequest(), Cancellation);
        foreach (var now in new[] { node, await StartAsync() })
        {
            Assert.Equal(3, now.Revocations.Count);
            Assert.True(now.Revocations.IsRevoked("ann", null, null));
            Assert.True(now.Revocations.IsRevoked("bob", "late", null));
            Assert.False(now.Revocations.IsRevoked("bob", "s0", null));
        }
        var rows = await Store.ReadAsync(
            (scope, ct) => scope.RecordTables().Records.ReadAsync(new RecordQuery(Space, LivingOnly: true), ct),
            Cancellation
        );
        Assert.Equal(3, rows.Count);
    }

    /// <summary>Checks that only the engine can read and publish to the topics between nodes.</summary>
    [Fact]
    public async Task Nobody_but_the_engine_reads_or_writes_where_nodes_tell_each_other()
    {
        var policies = new AccessPolicies([new AccessRule("", new GrantPolicy())]);
        var all = new Caller("u", "U") { Grants = Grants.Parse("""{"subscribe":["**"],"publish":["**"]}""") };
        await (await StartAsync()).Revocations.RevokeAsync("ann", new RevocationRequest(), Cancellation);
        var told = await ReadAllAsync();
        Assert.Equal(2, told.Count);
        foreach (var entry in told)
        {
            Assert.False(await policies.MayReadAsync(all, entry.Topic, Cancellation), entry.Topic.Value);
            Assert.False(await policies.MayPublishAsync(all, entry.Topic, Cancellation), entry.Topic.Value);
        }
    }

    /// <inheritdoc/>
    protected override void OnDisposing() => _nodes.ForEach(node => node.Dispose());

    private async Task<Node> StartAsync()
    {
        var node = new Node(this);
        _nodes.Add(node);
        node.Fanout.Begin();
        await node.Revocations.StartAsync(Cancellation);
        return node;
    }

    private static async Task HoldAsync(Node node, string resource, LeaseOwner owner) =>
        (
            await node.Leases.AcquireAsync(
                new LeaseRequest(
                    ResourceName.Parse(resource),
                    $"lease-of-{owner.UserId}-{resource[^1]}",
                    owner,
                    LeaseDuration.FromSeconds(3_600)
                ),
                cancellationToken: Cancellation
            )
        ).OrThrow();

    private static async Task<List<string>> HeldAsync(Node node) =>
        [.. (await node.Leases.ListAsync(new LeaseQuery(), Cancellation)).Leases.Select(row => row.Resource.Value)];

    /// <summary>A node on the store, without HTTP.</summary>
    private sealed class Node : IDisposable
    {
        private readonly TimerWheel _wheel;
        private readonly TestMeters _meters = new();

        public Node(RevocationConformance suite)
        {
            _wheel = new TimerWheel(suite.Time);
            Fanout = new EventFanout(
                suite.Journal,
                suite.Subject.Feed,
                new InProcessBackplane(),
                _wheel,
                suite.Time,
                Options.Create(new FanoutOptions()),
                new FanoutInstruments(_meters),
                NullLogger<EventFanout>.Instance
            );
            Leases = new LeaseService(
                suite.Store,
                [],
                _wheel,
                Options.Create(new LeaseOptions()),
                new LeaseInstruments(_meters),
                NullLogger<LeaseService>.Instance
            );
            Revocations = new Revocations(
                suite.Store,
                Fanout,
                Leases,
                suite.Time,
                Options.Create(new RevocationOptions()),
                NullLogger<Revocations>.Instance
            );
        }

        public EventFanout Fanout { get; }

        public LeaseService Leases { get; }

        public Revocations Revocations { get; }

        public EventStreamConnection Connect(Caller caller)
        {
            var connection = Fanout.Open(
                new ConnectionRequest(caller, [TopicName.Parse("t")], new Nowhere()) { Heartbeat = TimeSpan.Zero }
            );
            _ = Fanout.StartAsync(connection, default, Fanout.DeliveredHead);
            return connection;
        }

        public void Dispose()
        {
            _wheel.Dispose();
            _meters.Dispose();
        }
    }

    private sealed class Nowhere : IFrameSink
    {
        public void Write(ReadOnlyMemory<byte> frame) { }

        public ValueTask<bool> FlushAsync() => new(true);

        public void Abort() { }
    }
}
