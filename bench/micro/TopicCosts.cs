using System.Diagnostics;
using System.Globalization;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Bench.Micro;

/// <summary>
/// Measures what readers that do not match cost one publish, and what the length of the journal costs a reader that resumes by a foreign
/// id. Values are CPU time of the process: medians of rounds in which the cases take turns.
/// </summary>
internal static class TopicCosts
{
    private const int Readers = 10_000;
    private const int Rounds = 15;
    private const int Publishes = 2_000;
    private const int Resumes = 50;

    public static async Task RunAsync()
    {
        await MeasureAsync(
            "us of CPU for one publish",
            Publishes,
            [
                ("1 reader of a path topic, event without extra values", await PublishAsync(1, "path")),
                ("1 reader of a text topic", await PublishAsync(1, "exact")),
                ("10,000 readers of different text topics, 1 matches", await PublishAsync(Readers, "exact")),
                ("1 reader with a selector", await PublishAsync(1, "selector")),
                ("10,000 readers with selectors of different prefixes, 1 matches", await PublishAsync(Readers, "selector")),
                ("10,000 readers of both kinds, 1 matches", await PublishAsync(Readers, "mixed")),
            ]
        );
        await MeasureAsync(
            "us of CPU for one resume by foreign id, 10 events",
            Resumes,
            [("journal of 1,000 events", await ResumeAsync(1_000)), ("journal of 1,000,000 events", await ResumeAsync(1_000_000))]
        );
    }

    private static async Task MeasureAsync(string what, int operations, (string Name, Func<Task> Run)[] cases)
    {
        var costs = cases.Select(static _ => new List<double>()).ToArray();
        // The first round compiles.
        for (var round = 0; round <= Rounds; round++)
        {
            for (var i = 0; i < cases.Length; i++)
            {
                var before = Process.GetCurrentProcess().TotalProcessorTime;
                for (var n = 0; n < operations; n++)
                    await cases[i].Run();
                if (round > 0)
                    costs[i].Add((Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / operations);
            }
        }
        Console.WriteLine(what);
        for (var i = 0; i < cases.Length; i++)
        {
            var sorted = costs[i].Order().ToList();
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {cases[i].Name}: median {sorted[Rounds / 2]:0.0}, {sorted[0]:0.0} to {sorted[^1]:0.0}"
                )
            );
        }
    }

    /// <summary>Returns a publish to the one reader of many that matches. It completes when the reader has the event.</summary>
    private static async Task<Func<Task>> PublishAsync(int readers, string kind)
    {
        var engine = await Engine.StartAsync(sqlite: false);
        var received = new SemaphoreSlim(0);
        for (var i = 0; i < readers; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"https://example.com/{i}/items/1");
            var sink = new NullSink();
            var selects = kind == "selector" || (kind == "mixed" && i % 2 == 0);
            var request = new ConnectionRequest(
                new Caller("u", "U"),
                kind == "path" ? [TopicName.Parse("path")]
                    : selects ? []
                    : [TopicName.ForText(name)],
                sink
            )
            {
                Selectors = selects ? [new Under(name[..^1])] : [],
                MayRead = static entry => entry.IsRestricted,
            };
            await engine.Fanout.StartAsync(engine.Fanout.Open(request), default, engine.Fanout.DeliveredHead);
            if (i == readers / 2)
                sink.Flushed = _ => received.Release();
        }
        await engine.Fanout.SettledAsync();
        var topic = TopicName.ForText(string.Create(CultureInfo.InvariantCulture, $"https://example.com/{readers / 2}/items/1"));
        return () =>
        {
            engine.Fanout.PublishTransient(
                kind == "path"
                    ? Engine.Draft("path")
                    : new EventDraft(topic, "bench.event", Engine.Data)
                    {
                        AlsoOn = [TopicName.ForText("https://example.com/other")],
                        IsRestricted = true,
                        ForeignId = "urn:uuid:9f3c21aa",
                    }
            );
            return received.WaitAsync();
        };
    }

    /// <summary>Returns a resume after the event that is the tenth from the end.</summary>
    private static async Task<Func<Task>> ResumeAsync(int events)
    {
        var engine = await Engine.StartAsync(sqlite: true);
        for (var i = 0; i < events; i += 1_000)
            await engine.Journal.AppendAsync([.. Enumerable.Range(i, 1_000).Select(Draft)], null, CancellationToken.None);
        var id = Id(events - 11);
        return async () =>
        {
            var position = await engine.Journal.FindAsync(id, CancellationToken.None);
            var (start, _) = await engine.Fanout.LocateAsync(position);
            var page = await engine.Journal.ReadAsync(new JournalQuery(start.Offset, [Topic]), CancellationToken.None);
            if (page.Events.Count != 10)
                throw new InvalidOperationException($"{page.Events.Count} events");
        };
    }

    private static TopicName Topic { get; } = TopicName.ForText("https://example.com/items");

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"urn:uuid:9f3c21aa-{number:x8}");

    private static EventDraft Draft(int number) => new(Topic, "bench.event", Engine.Data) { ForeignId = Id(number) };

    private sealed class Under(string text) : TopicSelector(Texts.Instance, text)
    {
        public override string Prefix => Text;

        public override bool Selects(TopicView topic) => topic.Key.StartsWith(Text, StringComparison.Ordinal);
    }

    private sealed class Texts : SelectorKind
    {
        public static readonly Texts Instance = new();

        public override TopicView? View(TopicName topic) => topic.Text is { } text ? new TopicView(topic, text) : null;
    }
}
