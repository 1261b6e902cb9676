using Dunlin.Fanout;
using Dunlin.Interleavings.Tests.Exploring;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>The inbox of a shard, the hand-over from catch-up to live delivery, and the queue of a slow reader.</summary>
public sealed class FanoutInterleavings
{
    [Fact]
    public void Posts_of_two_threads_to_a_shard_run_once_each_in_order() =>
        Explorer.Explore(async scenario =>
        {
            var (node, sink) = (new ScenarioNode(), new ScenarioSink());
            await node.ConnectAsync(sink);
            scenario.Thread(
                "first publisher",
                () =>
                {
                    node.PublishTransient("a1");
                    node.PublishTransient("a2");
                }
            );
            scenario.Thread("second publisher", () => node.PublishTransient("b1"));
            scenario.Then(() =>
            {
                Assert.Equal(["a1", "a2", "b1"], sink.Received.Split(' ').Order(StringComparer.Ordinal));
                Assert.True(sink.Received.IndexOf("a1", StringComparison.Ordinal) < sink.Received.IndexOf("a2", StringComparison.Ordinal));
            });
        });

    [Fact]
    public void Events_during_the_hand_over_arrive_once_in_order() =>
        Explorer.Explore(async scenario =>
        {
            var (node, sink) = (new ScenarioNode(), new ScenarioSink());
            var start = node.Fanout.DeliveredHead;
            await node.PublishAsync("e1");
            var connection = node.Open(sink);
            scenario.Thread("opener", () => node.Fanout.StartAsync(connection, default, start));
            scenario.Thread(
                "publisher",
                async () =>
                {
                    await node.PublishAsync("e2");
                    await node.PublishAsync("e3");
                }
            );
            scenario.Then(() =>
            {
                Assert.Equal("e1 e2 e3", sink.Received);
                Assert.Equal(EventStreamState.Live, connection.State);
            });
        });

    [Fact]
    public void A_close_during_the_hand_over_ends_the_connection_once() =>
        Explorer.Explore(async scenario =>
        {
            var (node, sink, closed) = (new ScenarioNode(), new ScenarioSink(), 0);
            var start = node.Fanout.DeliveredHead;
            await node.PublishAsync("e1");
            var connection = node.Open(sink);
            node.Fanout.OnClosed(_ => closed++);
            scenario.Thread("opener", () => node.Fanout.StartAsync(connection, default, start));
            scenario.Thread("publisher", () => node.PublishAsync("e2"));
            scenario.Thread("closer", () => connection.Close(ConnectionEnd.Draining));
            scenario.Then(() =>
            {
                Assert.StartsWith(sink.Received, "e1 e2", StringComparison.Ordinal);
                Assert.Equal(ConnectionEnd.Draining, connection.Completion.Result);
                Assert.Equal(1, closed);
                Assert.Equal(0, node.Fanout.ConnectionCount);
                Assert.Null(connection.Seats);
            });
        });

    [Fact]
    public void A_slow_reader_gets_all_events_once_in_order() =>
        Explorer.Explore(async scenario =>
        {
            // One frame fits into the queue.
            var (node, sink) = (new ScenarioNode(maxPendingBytes: 70), new ScenarioSink());
            var connection = await node.ConnectAsync(sink);
            sink.Hold();
            await node.PublishAsync("e1");
            scenario.Thread(
                "publisher",
                async () =>
                {
                    await node.PublishAsync("e2");
                    await node.PublishAsync("e3");
                    await node.PublishAsync("e4");
                }
            );
            scenario.Thread("peer", sink.LetGo);
            scenario.Then(() =>
            {
                Assert.Equal("e1 e2 e3 e4", sink.Received);
                Assert.Equal(EventStreamState.Live, connection.State);
                Assert.Equal(0, connection.PendingBytes);
            });
        });
}
