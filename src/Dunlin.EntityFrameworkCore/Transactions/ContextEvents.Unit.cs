using Dunlin.Journal;
using Dunlin.Leases;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Dunlin.EntityFrameworkCore.Transactions;

/// <content>A context inside a unit of work of the store: it uses the connection and the transaction of the unit, and its events are
/// appended at once.</content>
internal sealed partial class ContextEvents
{
    /// <summary>Runs a unit of work on the connection of the store.</summary>
    public async ValueTask<T> RunAsync<T>(
        IStore store,
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken
    )
    {
        if (HasTransaction || _unit is not null)
            throw new InvalidOperationException(
                "The context has an open transaction. A unit of work has its own: end the transaction first."
            );
        Settle();
        // A strategy that retries refuses a transaction which it did not begin. Inside another strategy it does not look.
        var result = await new UnitStrategy(_context).ExecuteAsync(
            (Events: this, Store: store, Work: work),
            static async (_, state, ct) =>
                await state.Store.WriteAsync(async (unit, token) => await state.Events.JoinAsync(unit, state.Work, token), ct),
            verifySucceeded: null,
            cancellationToken
        );
        // The unit was committed. Without this line, the next SaveChanges would treat it as failed.
        _saved = null;
        return result;
    }

    private async ValueTask<T> JoinAsync<T>(
        IUnitOfWork unit,
        Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
        CancellationToken cancellationToken
    )
    {
        var text = Database.GetConnectionString();
        Database.SetDbConnection(unit.Connection);
        try
        {
            await Database.UseTransactionAsync(unit.Transaction, cancellationToken);
            _unit = unit;
            return await work(unit, cancellationToken);
        }
        finally
        {
            _unit = null;
            await Database.UseTransactionAsync(null, CancellationToken.None);
            Leave(text);
        }
    }

    /// <summary>Gives the context its own connection back.</summary>
    private void Leave(string? connectionString)
    {
        var options = RelationalOptionsExtension.Extract(_context.GetService<IDbContextOptions>());
        if (options.Connection is { } connection)
        {
            Database.SetDbConnection(connection, options.IsConnectionOwned);
            return;
        }
        // The context creates and disposes a connection of its own again.
        Database.SetDbConnection(null, contextOwnsConnection: true);
        if (!string.Equals(Database.GetConnectionString(), connectionString, StringComparison.Ordinal))
            Database.SetConnectionString(connectionString);
    }

    private async ValueTask AppendAsync(IUnitOfWork unit, RunningSave save, CancellationToken cancellationToken)
    {
        foreach (var claim in save.Claims)
            await unit.Leases.RequireAsync(claim, cancellationToken);
        foreach (var draft in save.Drafts)
            await unit.AppendAsync(draft, cancellationToken);
        _saved ??= new SavedEvents(default, unit, MayRestore: true);
    }

    private sealed class UnitStrategy(DbContext context) : ExecutionStrategy(context, maxRetryCount: 0, maxRetryDelay: TimeSpan.Zero)
    {
        protected override bool ShouldRetryOn(Exception exception) => false;
    }
}
