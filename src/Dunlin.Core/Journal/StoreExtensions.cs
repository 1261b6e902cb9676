namespace Dunlin.Journal;

/// <summary>Shorter forms of <see cref="IStore"/>.</summary>
public static class StoreExtensions
{
    /// <summary>Runs work that returns nothing.</summary>
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

    /// <summary>Appends one event outside any other change.</summary>
    public static async ValueTask<Position> AppendAsync(
        this IJournal journal,
        EventDraft draft,
        CancellationToken cancellationToken = default
    ) => (await journal.AppendAsync([draft], null, cancellationToken))[0];
}
