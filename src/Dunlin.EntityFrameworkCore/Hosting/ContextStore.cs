using Dunlin.Diagnostics;
using Dunlin.Relational;
using Dunlin.Relational.Leases;
using Dunlin.Relational.Outbox;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.EntityFrameworkCore.Hosting;

/// <summary>The store behind the contexts of an application. Resolved at the first use, so that tools which only build the model need no
/// database. Thread-safe.</summary>
internal sealed class ContextStore(IServiceProvider services)
{
    /// <summary>Gets the store.</summary>
    /// <exception cref="InvalidOperationException">The application has no SQL store.</exception>
    public RelationalStore Store => field ??= services.GetService<RelationalStore>() ?? throw NoStore();

    /// <summary>Gets the outbox of the store.</summary>
    /// <exception cref="InvalidOperationException">The application has no SQL store.</exception>
    public StoreOutbox Outbox => field ??= services.GetService<StoreOutbox>() ?? throw NoStore();

    public LeaseGuard Leases => field ??= new LeaseGuard(Store);

    /// <summary>Returns whether a transaction was committed whose commit has failed with <paramref name="fault"/>.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.OutcomeUnknown"/>: that cannot be found out.</exception>
    public async ValueTask<bool> WasCommittedAsync(string transactionId, Exception fault)
    {
        // Without the caller's token: a cancelled commit has an outcome too, and the caller must not repeat it blindly.
        return await Store.FindOutcomeAsync(transactionId, CancellationToken.None)
            ?? throw new DunlinException(
                ErrorCode.OutcomeUnknown,
                "The connection was lost during the commit. The changes and their events were stored together, or not at all.",
                null,
                fault
            );
    }

    private static InvalidOperationException NoStore() =>
        new("Dunlin has no SQL store for the events of EF Core. Call AddSqlite or AddPostgres after AddDunlin.");
}
