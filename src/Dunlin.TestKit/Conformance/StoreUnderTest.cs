using Dunlin.Accounts;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

/// <summary>Represents a new, empty, open back end with the components that the suites need.</summary>
/// <param name="journal">The journal.</param>
/// <param name="store">The store with the same journal.</param>
/// <param name="feed">The feed to which both publish.</param>
/// <param name="clock">The clock of both.</param>
/// <param name="accounts">The accounts of the same back end.</param>
/// <param name="sessions">The sessions of the same back end.</param>
/// <param name="dispose">Closes the back end and deletes its data.</param>
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
    /// <summary>Gets the journal.</summary>
    public IJournal Journal => journal;

    /// <summary>Gets the store with the same journal.</summary>
    public IStore Store => store;

    /// <summary>Gets the feed to which both publish.</summary>
    public CommitFeed Feed => feed;

    /// <summary>Gets the clock of both.</summary>
    public StoreClock Clock => clock;

    /// <summary>Gets the accounts of the same back end.</summary>
    public IAccountStore Accounts => accounts;

    /// <summary>Gets the sessions of the same back end.</summary>
    public ISessionStore Sessions => sessions;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => dispose();
}
