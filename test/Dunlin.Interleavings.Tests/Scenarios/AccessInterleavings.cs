using Dunlin.Access;
using Dunlin.Accounts;
using Dunlin.Interleavings.Tests.Exploring;
using Dunlin.Limits;
using Dunlin.Security;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>The queue of access changes, tickets and rates.</summary>
public sealed class AccessInterleavings
{
    [Fact]
    public void Changes_of_access_are_taken_once_before_the_end() =>
        Explorer.Explore(scenario =>
        {
            var queue = new AccessQueue();
            var (added, taken) = (new List<string>(), new List<string>());
            scenario.Thread("first", () => queue.Add(AccessChange.OfRights("ann")));
            scenario.Thread("second", () => queue.Add(AccessChange.OfRights("bob")));
            scenario.Thread(
                "relay",
                async () =>
                {
                    while (taken.Count < 2 && await queue.TakeAsync(default) is { } change)
                        taken.Add(change.UserId);
                }
            );
            scenario.Then(() =>
            {
                Assert.Equal(["ann", "bob"], taken.Order(StringComparer.Ordinal));
                Assert.Equal(0, queue.Count);
            });
        });

    [Fact]
    public void The_end_of_the_queue_of_changes_reaches_its_reader() =>
        Explorer.Explore(scenario =>
        {
            var queue = new AccessQueue();
            var taken = 0;
            scenario.Thread("change", () => queue.Add(AccessChange.OfRights("ann")));
            scenario.Thread("stop", queue.Complete);
            scenario.Thread(
                "relay",
                async () =>
                {
                    while (await queue.TakeAsync(default) is not null)
                        taken++;
                }
            );
            scenario.Then(() => Assert.InRange(taken, 0, 1));
        });

    [Fact]
    public void A_ticket_is_redeemed_once() =>
        Explorer.Explore(async scenario =>
        {
            var store = new InMemoryTicketStore();
            var now = DateTimeOffset.UnixEpoch;
            await store.AddAsync(Ticket("hash", now.AddMinutes(1)), now, default);
            var redeemed = 0;
            for (var i = 0; i < 2; i++)
            {
                scenario.Thread(
                    "caller",
                    async () =>
                    {
                        if (await store.TakeAsync("hash", now, default) is not null)
                            redeemed++;
                    }
                );
            }
            scenario.Thread("other user", async () => await store.AddAsync(Ticket("other", now.AddMinutes(1)), now, default));
            scenario.Then(async () =>
            {
                Assert.Equal(1, redeemed);
                Assert.NotNull(await store.TakeAsync("other", now, default));
            });
        });

    [Fact]
    public void A_bucket_gives_no_token_twice() =>
        Explorer.Explore(scenario =>
        {
            var bucket = new TokenBucket(new UserRate("requests", PerSecond: 1, Burst: 2), new ManualTime());
            var granted = 0;
            foreach (var name in new[] { "first", "second", "third" })
            {
                scenario.Thread(
                    name,
                    () =>
                    {
                        using var lease = bucket.AttemptAcquire();
                        granted += lease.IsAcquired ? 1 : 0;
                    }
                );
            }
            scenario.Then(() => Assert.Equal(2, granted));
        });

    private static TicketRow Ticket(string hash, DateTimeOffset expiry) => new(hash, "ann", "ann", [], null, false, expiry, null);
}
