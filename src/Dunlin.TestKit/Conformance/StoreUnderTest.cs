using Dunlin.Accounts;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>One open back end, new and empty, with the parts that the suites need.</summary>
/// <param name="journal">The journal.</param>
/// <param name="store">The store that holds the same journal.</param>
/// <param name="feed">What both publish to.</param>
/// <param name="clock">The clock both use.</param>
/// <param name="accounts">Accounts of the same back end.</param>
/// <param name="sessions">Sessions of the same back end.</param>
/// <param name="dispose">Closes it and removes what it left.</param>
public sealed class StoreUnderTest(
    IJournal journal,
    IStore store,
    CommitFeed feed,
    StoreClock clock,
    IAccountStore accounts,
    ISessionStore sessions,
    Func<ValueTask> dispose
) : IAsyncDisposable
{
    /// <summary>The journal.</summary>
    public IJournal Journal => journal;

    /// <summary>The store that holds the same journal.</summary>
    public IStore Store => store;

    /// <summary>What both publish to.</summary>
    public CommitFeed Feed => feed;

    /// <summary>The clock both use.</summary>
    public StoreClock Clock => clock;

    /// <summary>Accounts of the same back end.</summary>
    public IAccountStore Accounts => accounts;

    /// <summary>Sessions of the same back end.</summary>
    public ISessionStore Sessions => sessions;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => dispose();
}
