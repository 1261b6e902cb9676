using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>Provides each test with a new back end on manual time.</summary>
public abstract class ConformanceSuite : IAsyncLifetime
{
    private StoreUnderTest? _subject;

    /// <summary>Creates a new, empty, open back end.</summary>
    /// <param name="time">The clock of the back end.</param>
    /// <param name="retention">The retention rules of the back end. Tests change them before they trim.</param>
    protected abstract ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention);

    /// <summary>Gets the clock of the test.</summary>
    protected ManualTime Time { get; } = new();

    /// <summary>Gets the retention rules of the test. By default they retain everything.</summary>
    protected RetentionOptions Retention { get; } = new() { Default = new RetentionRule() };

    /// <summary>Gets the back end.</summary>
    protected StoreUnderTest Subject => _subject!;

    /// <summary>Gets the journal of the back end.</summary>
    protected IJournal Journal => Subject.Journal;

    /// <summary>Gets the store of the back end.</summary>
    protected IStore Store => Subject.Store;

    /// <summary>Gets the token of the test.</summary>
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

    /// <summary>Runs before the back end is closed.</summary>
    protected virtual void OnDisposing() { }

    /// <summary>Returns a draft with a number as data.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="value">The number.</param>
    protected static EventDraft Draft(string topic, int value = 0) => EventDraft.Of(TopicName.Parse(topic), "test.happened", value);

    /// <summary>Appends one event.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="value">The data.</param>
    protected ValueTask<Position> AppendAsync(string topic, int value = 0) => Journal.AppendAsync(Draft(topic, value), Cancellation);

    /// <summary>Reads all events after an offset, page by page.</summary>
    /// <param name="after">The offset.</param>
    /// <param name="topics">The topics. None means all.</param>
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
