namespace Dunlin.Journal;

/// <summary>Shorter overloads for <see cref="IStore"/> and <see cref="IJournal"/>.</summary>
public static class StoreExtensions
{
    /// <summary>Runs <paramref name="work"/> in one transaction and commits it. See <see cref="IStore.WriteAsync{T}"/>.</summary>
    /// <param name="store">The store.</param>
    /// <param name="work">The work to run in the transaction.</param>
    /// <param name="cancellationToken">Abandons the unit of work if its commit has not begun.</param>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.StoreUnavailable"/>: nothing was committed.
    /// <see cref="Diagnostics.ErrorCode.OutcomeUnknown"/>: the store was lost during the commit.</exception>
    public static async ValueTask WriteAsync(
        this IStore store,
        Func<IUnitOfWork, CancellationToken, ValueTask> work,
        CancellationToken cancellationToken = default
    ) =>
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await work(unit, ct);
                return true;
            },
            cancellationToken
        );

    /// <summary>Appends one event in a transaction without other changes.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="draft">The event.</param>
    /// <param name="cancellationToken">Abandons the append if its commit has not begun.</param>
    /// <returns>The position of the event.</returns>
    /// <exception cref="Diagnostics.DunlinException">As for <see cref="IJournal.AppendAsync"/>.</exception>
    public static async ValueTask<Position> AppendAsync(
        this IJournal journal,
        EventDraft draft,
        CancellationToken cancellationToken = default
    ) => (await journal.AppendAsync([draft], null, cancellationToken))[0];
}
