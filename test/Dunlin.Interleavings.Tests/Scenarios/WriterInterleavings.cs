using Dunlin.Interleavings.Tests.Exploring;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Outbox;
using Dunlin.Sqlite.Journal;
using Dunlin.Topics;
using WriteRequest = Dunlin.Journal.WriteRequest<Dunlin.Relational.Journal.WriteTransaction>;

namespace Dunlin.Interleavings.Tests.Scenarios;

/// <summary>The entrances of writers: the queue of the SQLite writer, the gate of the store in memory, shared flushes and answers of a
/// batch.</summary>
public sealed class WriterInterleavings
{
    [Fact]
    public void The_writer_takes_each_request_once_and_all_before_it_ends() =>
        Explorer.Explore(scenario =>
        {
            var queue = new WriteQueue(maxWaiting: 10);
            var (added, taken) = (new List<WriteRequest>(), new List<WriteRequest>());
            void Add(WriteRequest request)
            {
                if (queue.Add(request) == WriteQueue.Admission.Queued)
                    added.Add(request);
            }
            scenario.Thread(
                "first caller",
                () =>
                {
                    Add(Request());
                    Add(Request());
                }
            );
            scenario.Thread("second caller", () => Add(Request()));
            scenario.Thread("stop", queue.Close);
            scenario.Thread(
                "writer",
                () =>
                {
                    for (var batch = new List<WriteRequest>(); queue.Take(batch); )
                        taken.AddRange(batch);
                }
            );
            scenario.Then(() =>
            {
                Assert.Equal(added.Count, taken.Count);
                Assert.Equal(added.ToHashSet(), taken.ToHashSet());
                Assert.Equal(0, queue.Length);
            });
        });

    [Fact]
    public void A_writer_that_waits_is_woken_by_each_request() =>
        Explorer.Explore(scenario =>
        {
            var queue = new WriteQueue(maxWaiting: 10);
            var taken = 0;
            scenario.Thread("first caller", () => queue.Add(Request()));
            scenario.Thread("second caller", () => queue.Add(Request()));
            scenario.Thread(
                "writer",
                () =>
                {
                    for (var batch = new List<WriteRequest>(); taken < 2 && queue.Take(batch); )
                        taken += batch.Count;
                }
            );
            scenario.Then(() => Assert.Equal(2, taken));
        });

    [Fact]
    public void Writers_enter_one_at_a_time_also_when_one_gives_up() =>
        Explorer.Explore(scenario =>
        {
            var node = new ScenarioNode();
            var isInside = false;
            var cancellation = new CancellationTokenSource();
            async Task WriteAsync(string value, CancellationToken cancellationToken)
            {
                await node.Store.WriteAsync(
                    async (unit, _) =>
                    {
                        Assert.False(isInside, "Two writers are inside.");
                        isInside = true;
                        ControlPoints.Atomic("work", "");
                        await unit.AppendAsync(EventDraft.Of(TopicName.Parse("a"), "e", value));
                        isInside = false;
                        return value;
                    },
                    cancellationToken
                );
            }
            var isCancelled = false;
            scenario.Thread("first writer", () => WriteAsync("1", default));
            scenario.Thread(
                "second writer",
                async () =>
                {
                    try
                    {
                        await WriteAsync("2", cancellation.Token);
                    }
                    catch (OperationCanceledException)
                    {
                        isCancelled = true;
                    }
                }
            );
            scenario.Thread("third writer", () => WriteAsync("3", default));
            scenario.Thread("caller who gives up", cancellation.Cancel);
            scenario.Then(() => Assert.Equal(isCancelled ? 2 : 3, node.Store.Head.Offset));
        });

    [Fact]
    public void A_shared_flush_begins_after_each_of_its_callers() =>
        Explorer.Explore(scenario =>
        {
            var (written, isRunning) = (0, false);
            var flush = new SharedFlush(() =>
            {
                Assert.False(isRunning, "Two flushes run.");
                isRunning = true;
                var seen = written;
                ControlPoints.Atomic("flush", "");
                isRunning = false;
                return Task.FromResult(new Position(1, seen));
            });
            foreach (var name in new[] { "first", "second", "third" })
            {
                scenario.Thread(
                    $"{name} caller",
                    async () =>
                    {
                        ControlPoints.Atomic("write", "");
                        var mine = ++written;
                        Assert.True((await flush.RunAsync()).Offset >= mine, "A flush missed what its caller had written before.");
                    }
                );
            }
        });

    [Fact]
    public void Answers_of_a_batch_complete_once_in_order() =>
        Explorer.Explore(scenario =>
        {
            var requests = Enumerable.Range(0, 2).Select(static _ => Request()).ToArray();
            var answered = 0;
            scenario.Thread("writer", () => new BatchAnswers<WriteTransaction>(requests).Start());
            foreach (var request in requests)
            {
                scenario.Thread(
                    "caller",
                    async () =>
                    {
                        await ((ChangeRequest<int>)request).Answer;
                        answered++;
                    }
                );
            }
            scenario.Then(() => Assert.Equal(2, answered));
        });

    private static WriteRequest Request() => new ChangeRequest<int>(static (_, _) => new(0), default);
}
