using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Core.Tests.Fanout;

public sealed class CatchUpTests
{
    [Fact]
    public async Task Many_who_come_back_from_nearly_the_same_place_cost_the_reads_of_one()
    {
        CountingJournal? journal = null;
        using var node = new TestNode(o => o.TailEvents = 64, inner => journal = new CountingJournal(inner));
        const int total = 2_000;
        for (var i = 0; i < total; i++)
            await node.PublishAsync(i % 3 == 0 ? "other" : "t", i);
        var head = node.Journal.Head;
        var sinks = Enumerable.Range(0, 100).Select(_ => new TestSink()).ToList();
        // Resume from ten positions within the first pages.
        await Task.WhenAll(sinks.Select((sink, i) => node.ConnectAsync(sink, "t", head with { Offset = 100 + (i % 10 * 7) })));
        for (var i = 0; i < sinks.Count; i++)
        {
            var from = 100 + (i % 10 * 7);
            var expected = Enumerable
                .Range(from + 1, total - from)
                .Where(offset => (offset - 1) % 3 != 0)
                .Select(offset => (long)offset)
                .ToList();
            var frames = await sinks[i].WhenCountAsync(expected.Count);
            Assert.Equal(expected, frames.Where(frame => frame.Offset != 0).Select(frame => frame.Offset));
        }
        // Ten first pages, then shared ones. The last page is not cached; the journal tells when it is reached.
        Assert.InRange(journal!.Reads - journal.LastPages, 1, 10 + (total / 128));
    }

    [Fact]
    public async Task A_failed_page_read_fails_its_waiters_and_no_later_reader()
    {
        CountingJournal? journal = null;
        using var node = new TestNode(o => o.TailEvents = 64, inner => journal = new CountingJournal(inner));
        for (var i = 0; i < 400; i++)
            await node.PublishAsync("t", i);
        journal!.Failing = true;
        var failed = node.Open(new TestSink(), "t");
        await node.Fanout.StartAsync(failed, default, node.Journal.Head with { Offset = 1 });
        Assert.Equal(ConnectionEnd.Failed, await failed.Completion);
        journal.Failing = false;
        var sink = new TestSink();
        await node.ConnectAsync(sink, "t", node.Journal.Head with { Offset = 1 });
        Assert.Equal(399, (await sink.WhenCountAsync(399)).Count);
    }

    private sealed class CountingJournal(IJournal inner) : JournalDecorator(inner)
    {
        private int _reads;
        private int _lastPages;

        public bool Failing { get; set; }

        public int Reads => Volatile.Read(ref _reads);

        public int LastPages => Volatile.Read(ref _lastPages);

        public override async ValueTask<JournalPage> ReadAsync(JournalQuery query, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _reads);
            if (Failing)
                throw new IOException("meant to fail");
            var page = await base.ReadAsync(query, cancellationToken);
            if (!page.HasMore)
                Interlocked.Increment(ref _lastPages);
            return page;
        }
    }
}
