using Dunlin.Accounts;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>One open back end, new and empty, with the parts that the suites need. The back ends of this repository create it.</summary>
public sealed class StoreUnderTest : IAsyncDisposable
{
    private readonly Func<ValueTask> _dispose;

    internal StoreUnderTest(
        IJournal journal,
        IStore store,
        CommitFeed feed,
        StoreClock clock,
        IAccountStore accounts,
        ISessionStore sessions,
        Func<ValueTask> dispose
    )
    {
        (Journal, Store, Feed, Clock, Accounts, Sessions) = (journal, store, feed, clock, accounts, sessions);
        _dispose = dispose;
    }

    /// <summary>Gets the journal.</summary>
    public IJournal Journal { get; }

    /// <summary>Gets the store that holds the same journal.</summary>
    public IStore Store { get; }

    /// <summary>Gets the clock of both.</summary>
    public StoreClock Clock { get; }

    internal CommitFeed Feed { get; }

    internal IAccountStore Accounts { get; }

    internal ISessionStore Sessions { get; }

    /// <summary>Closes the back end and removes its files or tables.</summary>
    public ValueTask DisposeAsync() => _dispose();
}
