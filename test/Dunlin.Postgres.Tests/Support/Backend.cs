using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Relational.Accounts;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Postgres.Tests.Support;

/// <summary>A schema of its own for one test, and stores ("nodes") on it.</summary>
public sealed class Backend : IAsyncDisposable
{
    private readonly List<PostgresStore> _stores = [];

    private Backend(string connectionString) => ConnectionString = connectionString;

    public string ConnectionString { get; }

    public RetentionOptions Retention { get; } = new() { Default = new RetentionRule() };

    public TestLog Log { get; } = new();

    public List<SchemaScripts> Schemas { get; } = [];

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<Backend> NewAsync(Dunlin.TestKit.Servers.PostgresServer? server = null) =>
        new(await Database.NewSchemaAsync(server));

    /// <summary>One more node on the schema, on real time unless another is given.</summary>
    public async Task<PostgresStore> OpenAsync(
        Action<PostgresOptions>? configure = null,
        CommitFeed? feed = null,
        TimeProvider? time = null
    )
    {
        var store = Create(configure, feed, time);
        await store.OpenAsync(Cancellation);
        return store;
    }

    public PostgresStore Create(Action<PostgresOptions>? configure = null, CommitFeed? feed = null, TimeProvider? time = null)
    {
        var options = new PostgresOptions { ConnectionString = ConnectionString };
        configure?.Invoke(options);
        var store = new PostgresStore(
            Options.Create(options),
            Options.Create(Retention),
            Schemas,
            feed ?? new CommitFeed(),
            new StoreClock(time ?? TimeProvider.System),
            Log.For<PostgresStore>()
        );
        _stores.Add(store);
        return store;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
            await store.DisposeAsync();
    }

    public static EventDraft Draft(string topic, int value = 0) => EventDraft.Of(TopicName.Parse(topic), "test.happened", value);

    /// <summary>Reads everything after an offset, page by page.</summary>
    public static async Task<List<DunlinEvent>> ReadAllAsync(IJournal journal, long after = 0)
    {
        var events = new List<DunlinEvent>();
        while (true)
        {
            var page = await journal.ReadAsync(new JournalQuery(after, null, 100), Cancellation);
            events.AddRange(page.Events);
            after = page.Through;
            if (!page.HasMore)
                return events;
        }
    }

    /// <summary>A back end for the conformance suites: time is what they move, not the database's.</summary>
    public static async ValueTask<StoreUnderTest> ForSuiteAsync(ManualTime time, RetentionOptions retention)
    {
        var (feed, clock) = (new CommitFeed(), new StoreClock(time));
        var options = new PostgresOptions { ConnectionString = await Database.NewSchemaAsync() };
        var store = new PostgresStore(
            Options.Create(options),
            Options.Create(retention),
            [],
            feed,
            clock,
            new TestLog().For<PostgresStore>()
        );
        await store.OpenAsync(Cancellation);
        return new StoreUnderTest(store, store, feed, clock, new AccountStore(store), new SessionStore(store), store.DisposeAsync);
    }
}
