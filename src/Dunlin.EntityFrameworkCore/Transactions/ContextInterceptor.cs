using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Dunlin.EntityFrameworkCore.Transactions;

/// <summary>Reports the steps of <c>SaveChanges</c> and of transactions to the events of the context. Stateless.</summary>
internal sealed class ContextInterceptor : ISaveChangesInterceptor, IDbTransactionInterceptor
{
    public static readonly ContextInterceptor Instance = new();

    public InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Of(eventData)?.Begin();
        return result;
    }

    public ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default
    )
    {
        Of(eventData)?.Begin();
        return new(result);
    }

    public int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        Of(eventData)?.CompleteAsync(isAsync: false, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return result;
    }

    public async ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData,
        int result,
        CancellationToken cancellationToken = default
    )
    {
        if (Of(eventData) is { } events)
            await events.CompleteAsync(isAsync: true, cancellationToken);
        return result;
    }

    public void SaveChangesFailed(DbContextErrorEventData eventData) => Of(eventData)?.Fail();

    public Task SaveChangesFailedAsync(DbContextErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        Of(eventData)?.Fail();
        return Task.CompletedTask;
    }

    public void SaveChangesCanceled(DbContextEventData eventData) => Of(eventData)?.Fail();

    public Task SaveChangesCanceledAsync(DbContextEventData eventData, CancellationToken cancellationToken = default)
    {
        Of(eventData)?.Fail();
        return Task.CompletedTask;
    }

    public DbTransaction TransactionUsed(DbConnection connection, TransactionEventData eventData, DbTransaction result)
    {
        Of(eventData)?.Use(eventData.TransactionId);
        return result;
    }

    public ValueTask<DbTransaction> TransactionUsedAsync(
        DbConnection connection,
        TransactionEventData eventData,
        DbTransaction result,
        CancellationToken cancellationToken = default
    )
    {
        Of(eventData)?.Use(eventData.TransactionId);
        return new(result);
    }

    public InterceptionResult TransactionCommitting(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result) =>
        Of(eventData) is { } events
        && events
            .CommitAsync(isAsync: false, transaction, eventData.TransactionId, CancellationToken.None)
            .AsTask()
            .GetAwaiter()
            .GetResult()
            ? InterceptionResult.Suppress()
            : result;

    public async ValueTask<InterceptionResult> TransactionCommittingAsync(
        DbTransaction transaction,
        TransactionEventData eventData,
        InterceptionResult result,
        CancellationToken cancellationToken = default
    ) =>
        Of(eventData) is { } events && await events.CommitAsync(isAsync: true, transaction, eventData.TransactionId, cancellationToken)
            ? InterceptionResult.Suppress()
            : result;

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) =>
        Of(eventData)?.Committed(eventData.TransactionId);

    public Task TransactionCommittedAsync(
        DbTransaction transaction,
        TransactionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Of(eventData)?.Committed(eventData.TransactionId);
        return Task.CompletedTask;
    }

    private static ContextEvents? Of(DbContextEventData eventData) => ContextEvents.Find(eventData.Context);
}
