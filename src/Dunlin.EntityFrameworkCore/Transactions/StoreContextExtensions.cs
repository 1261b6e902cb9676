using Dunlin.Diagnostics;
using Dunlin.EntityFrameworkCore.Transactions;
using Dunlin.Journal;
using Microsoft.EntityFrameworkCore;

namespace Dunlin.EntityFrameworkCore;

/// <summary>Runs a context inside units of work.</summary>
public static class StoreContextExtensions
{
    extension(IStore store)
    {
        /// <summary>Runs <paramref name="work"/> in one transaction of the store, in which the context takes part. See
        /// <see cref="IStore.WriteAsync"/>.</summary>
        /// <remarks>
        /// Inside, the context uses the connection and the transaction of the unit of work, and <c>SaveChanges</c> appends the pending
        /// events at once. Afterwards it has its own connection back. An execution strategy does not retry the work.
        /// </remarks>
        /// <param name="context">The context, without an open transaction.</param>
        /// <param name="work">The work. It must call <c>SaveChanges</c>, and wait for nothing but the database.</param>
        /// <param name="cancellationToken">Abandons the unit of work if its commit has not begun.</param>
        /// <typeparam name="T">The type of the result.</typeparam>
        /// <returns>The result of <paramref name="work"/>, after the commit.</returns>
        /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: nothing was committed.
        /// <see cref="ErrorCode.OutcomeUnknown"/>: the store was lost during the commit.</exception>
        /// <exception cref="InvalidOperationException">The context has an open transaction or does not use Dunlin, or the caller runs
        /// inside a unit of work.</exception>
        public ValueTask<T> WriteAsync<T>(
            DbContext context,
            Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
            CancellationToken cancellationToken = default
        )
        {
            ArgumentNullException.ThrowIfNull(store);
            ArgumentNullException.ThrowIfNull(work);
            return ContextEvents.Of(context).RunAsync(store, work, cancellationToken);
        }

        /// <summary>Runs <paramref name="work"/> as the other overload, without a result.</summary>
        /// <param name="context">The context, without an open transaction.</param>
        /// <param name="work">The work.</param>
        /// <param name="cancellationToken">Abandons the unit of work if its commit has not begun.</param>
        /// <exception cref="DunlinException">As for the other overload.</exception>
        /// <exception cref="InvalidOperationException">As for the other overload.</exception>
        public async ValueTask WriteAsync(
            DbContext context,
            Func<IUnitOfWork, CancellationToken, ValueTask> work,
            CancellationToken cancellationToken = default
        ) =>
            await store.WriteAsync(
                context,
                async (unit, ct) =>
                {
                    await work(unit, ct);
                    return true;
                },
                cancellationToken
            );
    }
}
