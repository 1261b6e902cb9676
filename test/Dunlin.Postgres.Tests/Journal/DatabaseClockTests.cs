using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Postgres.Tests.Journal;

public sealed class DatabaseClockTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_with_clocks_years_apart_agree_about_a_lease()
    {
        await using var backend = await Backend.NewAsync();
        // One node's clock is stopped in 2030, the other has the real time.
        var stopped = new StoreClock(new ManualTime());
        await using var first = new PostgresStore(
            Options.Create(new PostgresOptions { ConnectionString = backend.ConnectionString }),
            Options.Create(new RetentionOptions()),
            [],
            new CommitFeed(),
            stopped,
            backend.Log.For<PostgresStore>()
        )
        {
            Clock = new DatabaseClock(stopped),
        };
        var second = await backend.OpenAsync();
        var resource = ResourceName.Parse("files/1");
        var (owner, id) = (new LeaseOwner("ann", "Ann"), "lease-of-ann-1");
        var granted = await first.WriteAsync(
            async (unit, ct) =>
            {
                var row = new LeaseRow(resource)
                {
                    LeaseId = id,
                    Owner = owner,
                    Seconds = 60,
                    ExpiresAt = unit.Now.AddSeconds(60),
                    FencingToken = await unit.LeaseTable.NextFencingTokenAsync(ct),
                };
                await unit.LeaseTable.SaveAsync(row, ct);
                return row;
            },
            Cancellation
        );
        var remaining = await second.ReadAsync(
            async (scope, ct) => (await scope.LeaseTable.FindAsync(resource, ct))!.ExpiresAt - scope.Now,
            Cancellation
        );
        Assert.InRange(remaining, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        await second.WriteAsync(
            async (unit, ct) => await unit.Leases.RequireAsync(new LeaseClaim(resource, id, "ann", granted.FencingToken), ct),
            Cancellation
        );
    }

    [Fact]
    public async Task Events_carry_the_database_time()
    {
        await using var backend = await Backend.NewAsync();
        var stopped = new StoreClock(new ManualTime());
        await using var node = new PostgresStore(
            Options.Create(new PostgresOptions { ConnectionString = backend.ConnectionString }),
            Options.Create(new RetentionOptions()),
            [],
            new CommitFeed(),
            stopped,
            backend.Log.For<PostgresStore>()
        )
        {
            Clock = new DatabaseClock(stopped),
        };
        await node.AppendAsync(Backend.Draft("a"), Cancellation);
        var entry = Assert.Single(await Backend.ReadAllAsync(node));
        var now = DateTimeOffset.UnixEpoch.AddMilliseconds(
            (double)await Database.ScalarAsync<decimal>(backend.ConnectionString, "SELECT extract(epoch FROM clock_timestamp()) * 1000")
        );
        Assert.InRange(now - entry.Time, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Node_time_never_decreases_when_the_database_clock_does()
    {
        var clock = new DatabaseClock(new StoreClock(new ManualTime()));
        var first = clock.Read(2_000_000_000_000_000m, 0);
        Assert.Equal(first, clock.Read(1_999_000_000_000_000m, 0));
        Assert.Equal(first, clock.Now);
        Assert.Equal(first.AddSeconds(1), clock.Read(2_000_000_001_000_000m, 0));
    }

    [Fact]
    public void Node_time_is_not_before_the_last_event()
    {
        var clock = new DatabaseClock(new StoreClock(new ManualTime()));
        Assert.Equal(2_000_000_000_005, clock.Read(1_000_000_000_000_000m, 2_000_000_000_005).ToUnixTimeMilliseconds());
    }
}
