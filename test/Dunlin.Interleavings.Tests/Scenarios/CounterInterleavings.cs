using Dunlin.Fanout;
using Dunlin.Interleavings.Tests.Exploring;
using Dunlin.Leases;
using Dunlin.Presence;
using Dunlin.Scheduling;
using Dunlin.Streams;
using Dunlin.TestKit;
using Dunlin.Topics;
using Dunlin.Transport;
using Dunlin.Webhooks;
using Microsoft.Extensions.Options;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>Presence, the timer wheel, signals, the queue of webhooks, and the counters of streams and sockets.</summary>
public sealed class CounterInterleavings
{
    private static readonly TopicName Room = TopicName.Parse("a");

    [Fact]
    public void Presence_counts_each_open_connection() =>
        Explorer.Explore(async scenario =>
        {
            var (node, presence) = await PresentAsync();
            var first = node.Open(new ScenarioSink(), isPresent: true);
            scenario.Thread("first tab", first.Abandon);
            scenario.Thread("second tab", () => node.Open(new ScenarioSink(), isPresent: true));
            scenario.Thread("third tab", () => node.Open(new ScenarioSink(), isPresent: true).Abandon());
            scenario.Then(() => Assert.Equal(1, Assert.Single(presence.List(Room)).Connections));
        });

    [Fact]
    public void A_late_timer_ends_no_presence_of_a_later_connection() =>
        Explorer.Explore(async scenario =>
        {
            var (node, presence) = await PresentAsync();
            node.Open(new ScenarioSink(), isPresent: true).Abandon();
            node.Time.Advance(TimeSpan.FromSeconds(9));
            scenario.Thread("wheel", () => node.Time.Advance(2 * TimerWheel.Slot));
            scenario.Thread("page", () => node.Open(new ScenarioSink(), isPresent: true).Abandon());
            scenario.Then(() =>
            {
                node.Open(new ScenarioSink(), isPresent: true);
                node.Time.Advance(TimeSpan.FromSeconds(30));
                Assert.Equal(1, Assert.Single(presence.List(Room)).Connections);
            });
        });

    [Fact]
    public void A_cancelled_or_moved_timer_entry_fires_at_most_once() =>
        Explorer.Explore(scenario =>
        {
            var time = new ManualTime();
            var wheel = new TimerWheel(time, static error => throw new InvalidOperationException("An entry failed.", error));
            var (moved, cancelled, kept) = (0, 0, 0);
            var entries = new WheelAction[] { new(() => moved++), new(() => cancelled++), new(() => kept++) };
            foreach (var entry in entries)
                wheel.Schedule(entry, TimerWheel.Slot);
            scenario.Thread("wheel", () => time.Advance(2 * TimerWheel.Slot));
            scenario.Thread("owner", () => wheel.Schedule(entries[0], 5 * TimerWheel.Slot));
            scenario.Thread("other owner", () => wheel.Cancel(entries[1]));
            scenario.Then(() =>
            {
                Assert.True(cancelled <= 1);
                time.Advance(10 * TimerWheel.Slot);
                Assert.Equal(1, kept);
                Assert.InRange(moved, 1, 2);
                Assert.DoesNotContain(entries, wheel.IsScheduled);
            });
        });

    [Fact]
    public void A_renewed_lease_is_always_checked_at_its_expiry() =>
        Explorer.Explore(scenario =>
        {
            var time = new ManualTime();
            var expiries = new LeaseExpiries(new TimerWheel(time));
            var start = time.GetUtcNow();
            var lastCheck = DateTimeOffset.MinValue;
            void Settle(ResourceName _) => lastCheck = time.GetUtcNow();
            var row = new LeaseRow(ResourceName.Parse("files/1")) { LeaseId = "lease-id-of-ann", ExpiresAt = start.AddSeconds(1) };
            expiries.Watch(row, start, Settle);
            scenario.Thread("wheel", () => time.Advance(2 * TimerWheel.Slot));
            scenario.Thread("renewal", () => expiries.Watch(row with { ExpiresAt = start.AddSeconds(20) }, start, Settle));
            scenario.Then(() =>
            {
                time.Advance(TimeSpan.FromSeconds(30));
                Assert.True(lastCheck >= start.AddSeconds(20), "The renewed lease is never checked.");
            });
        });

    [Fact]
    public void A_loop_that_looks_for_work_misses_no_wake_up() =>
        Explorer.Explore(scenario =>
        {
            var signal = new WakeSignal();
            var (added, done) = (0, 0);
            scenario.Thread(
                "loop",
                async () =>
                {
                    while (done < 2)
                    {
                        var next = signal.Renew();
                        ControlPoints.Atomic("look", "");
                        done = added;
                        if (done < 2)
                            await next;
                    }
                }
            );
            foreach (var name in new[] { "first", "second" })
            {
                scenario.Thread(
                    $"{name} caller",
                    () =>
                    {
                        ControlPoints.Atomic("add work", "");
                        added++;
                        signal.Set();
                    }
                );
            }
            scenario.Then(() => Assert.Equal(2, done));
        });

    [Fact]
    public void Subscriptions_during_a_publication_lose_no_handler() =>
        Explorer.Explore(scenario =>
        {
            var signal = new Signal<int>("signal");
            var (kept, first, second) = (0, 0, 0);
            signal.Subscribe(_ => kept++);
            var removed = signal.Subscribe(static _ => { });
            scenario.Thread("publisher", () => signal.Publish(1));
            scenario.Thread("first", () => signal.Subscribe(_ => first++));
            scenario.Thread("second", () => signal.Subscribe(_ => second++));
            scenario.Thread("third", removed.Dispose);
            scenario.Then(() =>
            {
                Assert.Equal(1, kept);
                (first, second) = (0, 0);
                signal.Publish(2);
                Assert.Equal((2, 1, 1), (kept, first, second));
            });
        });

    [Fact]
    public void A_webhook_sends_one_delivery_of_a_topic_at_a_time_in_order() =>
        Explorer.Explore(scenario =>
        {
            var queue = new WebhookQueue(maxConcurrent: 4, maxPerSecond: 0);
            var sent = new List<long>();
            queue.Add(Delivery(1));
            void Send()
            {
                foreach (var delivery in queue.Take(DateTimeOffset.UnixEpoch).Due)
                {
                    sent.Add(delivery.Offset);
                    ControlPoints.Atomic("request", "");
                    queue.End(delivery, null);
                }
            }
            scenario.Thread("feed", () => queue.Add(Delivery(2)));
            scenario.Thread("first sender", Send);
            scenario.Thread("second sender", Send);
            scenario.Then(() =>
            {
                while (queue.Count > 0)
                    Send();
                Assert.Equal([1, 2], sent);
            });
        });

    [Fact]
    public void Limits_of_streams_are_never_exceeded_and_count_to_zero() =>
        Explorer.Explore(scenario =>
        {
            var limits = new StreamLimits(Options.Create(new EventStreamOptions { MaxPerUser = 1 }));
            var (inside, entered) = (0, 0);
            void Enter()
            {
                try
                {
                    using var slot = limits.Enter("ann", "::1");
                    entered++;
                    Assert.Equal(1, ++inside);
                    ControlPoints.Atomic("stream", "");
                    inside--;
                }
                catch (Diagnostics.DunlinException)
                {
                    // Refused by the limit.
                }
            }
            foreach (var name in new[] { "first", "second", "third" })
                scenario.Thread(name, Enter);
            scenario.Then(() =>
            {
                Assert.InRange(entered, 1, 3);
                Assert.Equal((0, 0, 0), limits.Counts);
            });
        });

    [Fact]
    public void The_last_socket_that_leaves_ends_the_wait_for_sockets() =>
        Explorer.Explore(scenario =>
        {
            var sockets = new OpenSockets();
            for (var i = 0; i < 2; i++)
            {
                Assert.True(sockets.TryAdd(2));
                sockets.Take();
            }
            scenario.Thread("closed socket", () => sockets.Remove(taken: true));
            scenario.Thread("returned socket", sockets.Return);
            scenario.Thread("new socket", () => Assert.True(!sockets.TryAdd(2) || sockets.Counts.All <= 2));
            scenario.Thread("stop", sockets.NoneTakenAsync);
            scenario.Then(() => Assert.Equal(0, sockets.Counts.Taken));
        });

    private static async Task<(ScenarioNode Node, PresenceRegistry Presence)> PresentAsync()
    {
        var node = new ScenarioNode();
        var presence = new PresenceRegistry(
            node.Fanout,
            node.Wheel,
            node.Time,
            Options.Create(new PresenceOptions { Grace = TimeSpan.FromSeconds(10) })
        );
        await presence.StartAsync(default);
        return (node, presence);
    }

    private static WebhookDelivery Delivery(long offset) =>
        new("hook", offset) { At = DateTimeOffset.UnixEpoch, Facts = new WebhookFacts("m", "t", "e") };
}
