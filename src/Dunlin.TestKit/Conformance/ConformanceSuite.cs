using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>What the suites share: a fresh back end for every test, on manual time.</summary>
public abstract class ConformanceSuite : IAsyncLifetime
{
    private StoreUnderTest? _subject;

    /// <summary>Makes a back end, new, empty and open.</summary>
    /// <param name="time">Its time.</param>
    /// <param name="retention">Its retention; tests change it before they trim.</param>
    protected abstract ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention);

    /// <summary>Time of this test.</summary>
    protected ManualTime Time { get; } = new();

    /// <summary>Retention of this test; nothing is removed unless the test says so.</summary>
    protected RetentionOptions Retention { get; } = new() { Default = new RetentionRule() };

    /// <summary>The back end.</summary>
    protected StoreUnderTest Subject => _subject!;

    /// <summary>Its journal.</summary>
    protected IJournal Journal => Subject.Journal;

    /// <summary>Its store.</summary>
    protected IStore Store => Subject.Store;

    /// <summary>Ends with the test.</summary>
    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => _subject = await CreateAsync(Time, Retention);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        OnDisposing();
        if (_subject is not null)
            await _subject.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Called before the back end is closed.</summary>
    protected virtual void OnDisposing() { }

    /// <summary>A draft with a number as its data.</summary>
    protected static EventDraft Draft(string topic, int value = 0) => EventDraft.Of(TopicName.Parse(topic), "test.happened", value);

    /// <summary>Appends one event.</summary>
    protected ValueTask<Position> AppendAsync(string topic, int value = 0) => Journal.AppendAsync(Draft(topic, value), Cancellation);

    /// <summary>Reads everything after an offset, page by page.</summary>
    protected async Task<List<DunlinEvent>> ReadAllAsync(long after = 0, params string[] topics)
    {
        var names = topics.Length == 0 ? null : topics.Select(t => TopicName.Parse(t)).ToList();
        var events = new List<DunlinEvent>();
        while (true)
        {
            var page = await Journal.ReadAsync(new JournalQuery(after, names, 100), Cancellation);
            events.AddRange(page.Events);
            after = page.Through;
            if (!page.HasMore)
                return events;
        }
    }
}
