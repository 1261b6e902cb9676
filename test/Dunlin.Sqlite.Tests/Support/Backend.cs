using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Relational.Accounts;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Dunlin.Topics;
using Microsoft.Extensions.Options;

namespace Dunlin.Sqlite.Tests.Support;

/// <summary>A folder for the database of one test, and stores on it.</summary>
public sealed class Backend : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-");
    private readonly List<SqliteStore> _stores = [];

    public ManualTime Time { get; } = new();

    public RetentionOptions Retention { get; } = new() { Default = new RetentionRule() };

    public TestLog Log { get; } = new();

    public List<SchemaScripts> Schemas { get; } = [];

    /// <summary>Creates the meters of the stores. Null: each store has its own.</summary>
    public TestMeters? Meters { get; init; }

    public string Path => System.IO.Path.Combine(_folder.FullName, "test.db");

    /// <summary>The batches that the last opened store announced.</summary>
    public List<IReadOnlyList<DunlinEvent>> Batches { get; private set; } = [];

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal SqliteStore Create(Action<SqliteOptions>? configure = null, CommitFeed? feed = null, StoreClock? clock = null)
    {
        var options = new SqliteOptions { Path = Path };
        configure?.Invoke(options);
        feed ??= new CommitFeed();
        var batches = Batches = [];
        feed.Committed.Subscribe(batches.Add);
        var store = new SqliteStore(
            Options.Create(options),
            Options.Create(Retention),
            Schemas,
            feed,
            clock ?? new StoreClock(Time),
            Log.For<SqliteStore>(),
            Meters
        );
        _stores.Add(store);
        return store;
    }

    public async Task<SqliteStore> OpenAsync(Action<SqliteOptions>? configure = null)
    {
        var store = Create(configure);
        await store.OpenAsync(Cancellation);
        return store;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
            await store.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    public static EventDraft Draft(string topic, int value = 0) => EventDraft.Of(TopicName.Parse(topic), "test.happened", value);

    /// <summary>A back end for the conformance suites.</summary>
    public static async ValueTask<StoreUnderTest> ForSuiteAsync(ManualTime time, RetentionOptions retention)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-");
        var (feed, clock) = (new CommitFeed(), new StoreClock(time));
        var options = new SqliteOptions { Path = System.IO.Path.Combine(folder.FullName, "test.db") };
        var store = new SqliteStore(Options.Create(options), Options.Create(retention), [], feed, clock, new TestLog().For<SqliteStore>());
        await store.OpenAsync(Cancellation);
        return new StoreUnderTest(
            store,
            store,
            feed,
            clock,
            new AccountStore(store),
            new SessionStore(store),
            async () =>
            {
                await store.DisposeAsync();
                folder.Delete(recursive: true);
            }
        );
    }
}
