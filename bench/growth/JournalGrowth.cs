using System.Data.Common;
using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Relational;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Bench.Growth;

/// <summary>Measures the operations of the journal and of leases in a journal of growing length.</summary>
/// <remarks>
/// The events are copies of one event that the engine appended, with 100 bytes of data, in 1,000 topics <c>growth/A/B</c>. One event in
/// fifty is in <c>growth/resume</c>, and one in ten in <c>growth/counted</c>, whose rule in the last measurement keeps a number of events.
/// The first 10,000 of each fill have expired. A tenth of the number of events are rows of ended leases, and a hundredth are held ones.
/// </remarks>
internal sealed class JournalGrowth(GrowthDatabase database, Report report)
{
    private const int Topics = 1_000;
    private const int Expired = 10_000;
    private const int Missed = 1_000;

    private static readonly TopicName Resume = TopicName.Parse("growth/resume");
    private static readonly TopicName Counted = TopicName.Parse("growth/counted");
    private static readonly TopicName Old = TopicName.Parse("growth/old");

    private readonly Meter _meter = new(database);
    private long _leases;

    public static byte[] Data(int length)
    {
        var data = new byte[length];
        Array.Fill(data, (byte)'x');
        (data[0], data[^1]) = ((byte)'"', (byte)'"');
        return data;
    }

    public async Task RunAsync(long[] sizes)
    {
        var node = await StartAsync();
        await PrepareAsync(node);
        foreach (var size in sizes)
        {
            await GrowthDatabase.StopAsync(node);
            await FillAsync(size);
            await OpenAsync(size);
            node = await StartAsync();
            await CheckAsync(node, size);
            await MeasureAsync(node, size);
            await GrowthDatabase.StopAsync(node);
            node = await StartAsync(isCounted: true);
            await CountAsync(node, size);
        }
        await GrowthDatabase.StopAsync(node);
    }

    private Task<WebApplication> StartAsync(bool isCounted = false) =>
        database.StartAsync(dunlin =>
            dunlin.Services.Configure<RetentionOptions>(retention =>
            {
                if (isCounted)
                    retention.Prefixes.Add(Counted.Value, new RetentionRule { MaxCount = 1_000_000_000 });
            })
        );

    private static async Task PrepareAsync(WebApplication node)
    {
        var journal = node.Services.GetRequiredService<IJournal>();
        var topics = Enumerable.Range(0, Topics).Select(Topic).Concat([Resume, Counted, Old]);
        foreach (var page in topics.Chunk(500))
            await journal.AppendAsync([.. page.Select(Draft)], null, default);
        var leases = node.Services.GetRequiredService<LeaseService>();
        await CycleAsync(leases, "growth/ended");
        await leases.AcquireAsync(
            new LeaseRequest(
                ResourceName.Parse("growth/held"),
                "lease-of-holder",
                new LeaseOwner("holder", "H"),
                LeaseDuration.FromSeconds(3_600)
            )
        );
    }

    /// <summary>Adds copies of the events and leases that the engine has written.</summary>
    private async Task FillAsync(long size)
    {
        await using var connection = await database.ConnectAsync();
        if (_leases == 0)
        {
            await GrowthDatabase.ExecuteAsync(
                connection,
                $"""
                CREATE TABLE growth_topic (k INTEGER PRIMARY KEY, id BIGINT NOT NULL);
                INSERT INTO growth_topic (k, id)
                SELECT row_number() OVER (ORDER BY id) - 1, id FROM dunlin_topic WHERE name LIKE 'growth/%';
                CREATE TABLE growth_event AS SELECT * FROM dunlin_journal WHERE topic = (SELECT id FROM growth_topic WHERE k = 0) ORDER BY "offset" LIMIT 1;
                UPDATE dunlin_journal SET time = time - 2592000000 WHERE topic = (SELECT id FROM growth_topic WHERE k = {Topics + 2});
                CREATE TABLE growth_lease AS SELECT * FROM dunlin_lease WHERE resource IN ('growth/ended', 'growth/held');
                """
            );
        }
        var head = await NumberAsync(connection, """SELECT max("offset") FROM dunlin_journal""");
        var columns = "type, data, user_id, session_id, connection_id, device_id";
        await database.FillAsync(
            connection,
            $"""
            INSERT INTO dunlin_journal ("offset", topic, {columns}, time, extra)
            SELECT n, t.id, {columns}, CASE WHEN n <= {head + Expired} THEN time - 2592000000 ELSE time END, extra
            """,
            head + 1,
            size,
            $"""
            , growth_event, growth_topic t WHERE t.k = CASE WHEN n <= {head + Expired} THEN {Topics + 2} WHEN n % 50 = 37 THEN {Topics}
            WHEN n % 10 = 4 THEN {Topics + 1} ELSE n % {Topics} END
            """
        );
        var lease =
            "fence, lease_id, user_id, user_name, session_id, connection_id, device_id, acquired_at, expires_at, seconds, end_reason, "
            + "ended_lease_id, ended_at, ending, waiters";
        foreach (var (name, share) in new[] { ("ended", 10), ("held", 100) })
        {
            await database.FillAsync(
                connection,
                $"INSERT INTO dunlin_lease (resource, {lease}) SELECT resource || '/' || n, {lease}",
                (_leases / share) + 1,
                size / share,
                $", growth_lease WHERE resource = 'growth/{name}'"
            );
        }
        _leases = size;
        await database.MaintainAsync(connection);
    }

    /// <summary>Checks that the engine reads the copied events as it reads its own.</summary>
    private static async Task CheckAsync(WebApplication node, long size)
    {
        var journal = node.Services.GetRequiredService<IJournal>();
        if (journal.Head.Offset != size)
            throw new InvalidOperationException($"The head is {journal.Head.Offset}, not {size}.");
        var page = await journal.ReadAsync(new JournalQuery(size - 1_000, null, 1_000), default);
        var own = (await journal.ReadAsync(new JournalQuery(0, [Topic(1)], 1), default)).Events[0];
        foreach (var copy in page.Events)
        {
            if (
                copy.Type != own.Type
                || !copy.Data.Span.SequenceEqual(own.Data.Span)
                || copy.Origin != own.Origin
                || copy.Extra is not null
            )
                throw new InvalidOperationException($"Event {copy.Position} differs from an event of the engine.");
        }
        if (page.Events.Count != 1_000 || page.Events.Count(static entry => entry.Topic == Resume) != 20)
            throw new InvalidOperationException("The copied events have other topics than expected.");
    }

    private async Task OpenAsync(long size)
    {
        var cost = await _meter.RepeatAsync(
            9,
            async _ =>
            {
                await using var store = await database.OpenStoreAsync();
            }
        );
        report.Add("open and close of the store", size, cost);
        cost = await _meter.RepeatAsync(5, async _ => await GrowthDatabase.StopAsync(await StartAsync()));
        report.Add("start and stop of a node", size, cost);
    }

    private async Task MeasureAsync(WebApplication node, long size)
    {
        var journal = node.Services.GetRequiredService<IJournal>();
        await ReadAsync(journal, size, "resume, 1,000 of the last 50,000 events", size - 50_000, [Resume]);
        await ReadAsync(journal, size, "resume, the oldest 1,000 events of a topic", 0, [Counted]);
        await ReadAsync(journal, size, "pattern of 100 topics, the last 1,000", Behind(size, 100), [], "growth/3/*");
        await ReadAsync(journal, size, "pattern of 1,003 topics, the last 1,000", size - 1_000, [], "growth/**");
        await ReadAsync(journal, size, "pattern of 10 among 1,003 topics, the last 500", Behind(size, 20), [], "growth/*/5");
        report.Add("append, 1 writer", size, await _meter.RepeatAsync(300, i => journal.AppendAsync(Draft(Topic(i))).AsTask()));
        report.Add(
            "append, 64 writers",
            size,
            await _meter.RoundsAsync(9, 64 * 50, () => TogetherAsync(64, 50, w => journal.AppendAsync(Draft(Topic(w))).AsTask()))
        );
        var leases = node.Services.GetRequiredService<LeaseService>();
        report.Add("lease cycle, 1 holder", size, await _meter.RepeatAsync(100, _ => CycleAsync(leases, "growth/cycle")));
        report.Add("trim of 10,000 expired events", size, await TrimAsync(journal, Expired));
        report.Add("trim without expired events", size, await _meter.RepeatAsync(9, async _ => await journal.TrimAsync(default)));
    }

    private async Task CountAsync(WebApplication node, long size)
    {
        var journal = node.Services.GetRequiredService<IJournal>();
        var cost = await _meter.RepeatAsync(
            5,
            async _ => await journal.TrimAsync(default),
            () => journal.AppendAsync(Draft(Counted)).AsTask()
        );
        report.Add("trim after an event of a topic that keeps a number", size, cost);
    }

    private async Task<Cost> TrimAsync(IJournal journal, long expected)
    {
        long removed = 0;
        var cost = await _meter.OnceAsync(async () => removed = await journal.TrimAsync(default));
        if (removed - expected is not (0 or 1))
            throw new InvalidOperationException($"{removed} events were removed, not {expected}.");
        return cost;
    }

    /// <summary>Measures a read of 1,000 missed events and their frames, as a reader that resumes gets them.</summary>
    private async Task ReadAsync(IJournal journal, long size, string name, long start, TopicName[] topics, params string[] patterns)
    {
        var cost = await _meter.RepeatAsync(
            60,
            async _ =>
            {
                var (after, count) = (Math.Max(0, start), 0);
                JournalPage page;
                do
                {
                    page = await journal.ReadAsync(
                        new JournalQuery(after, topics, Math.Min(256, Missed - count))
                        {
                            Patterns = [.. patterns.Select(TopicPattern.Parse)],
                        },
                        default
                    );
                    foreach (var entry in page.Events)
                        FrameWriter.Encode(entry.Position, frame => WireFormats.Named.Write(entry, frame));
                    count += page.Events.Count;
                    after = page.Through;
                } while (page.HasMore && count < Missed);
                if (count < Missed / 2)
                    throw new InvalidOperationException($"{name}: {count} events.");
            }
        );
        report.Add(name, size, cost);
    }

    // Of 1,000 events 880 are in the topics growth/A/B, almost one in each.
    private static long Behind(long size, int topics) => size - (Missed * Topics / topics * 100 / 88);

    private static async Task TogetherAsync(int workers, int each, Func<int, Task> work) =>
        await Task.WhenAll(
            Enumerable
                .Range(0, workers)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < each; i++)
                            await work((w * 13) + i);
                    })
                )
        );

    private static async Task CycleAsync(LeaseService leases, string name)
    {
        var resource = ResourceName.Parse(name);
        await leases.AcquireAsync(new LeaseRequest(resource, "lease-of-growth", new LeaseOwner("u", "U"), LeaseDuration.FromSeconds(30)));
        await leases.ReleaseAsync(new LeaseClaim(resource, "lease-of-growth", "u"));
    }

    private static TopicName Topic(int number) =>
        TopicName.Parse(string.Create(CultureInfo.InvariantCulture, $"growth/{number % Topics / 100}/{number % 100}"));

    private static EventDraft Draft(TopicName topic) => new(topic, "bench.event", Data(100));

    private static async Task<long> NumberAsync(DbConnection connection, string sql) =>
        Convert.ToInt64(await GrowthDatabase.ScalarAsync(connection, sql), CultureInfo.InvariantCulture);
}
