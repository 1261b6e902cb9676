using System.Data.Common;
using Dunlin.EntityFrameworkCore.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Relational.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.EntityFrameworkCore.Transactions;

/// <summary>The pending events and leases of one context. As the context, not thread-safe.</summary>
/// <remarks>
/// States of an event:
/// <code>
/// pending -- SaveChanges, in its own transaction, committed ------------> done
/// pending -- SaveChanges, in a transaction or unit of the application --> saved -- committed --> done
/// saved -- not committed, changes accepted -----------------------------> dropped, as the changes
/// saved -- not committed, acceptAllChangesOnSuccess: false -------------> pending, as the changes
/// pending -- SaveChanges failed ----------------------------------------> pending
/// </code>
/// A saved event is a row of the outbox, or is appended to the unit of work.
/// </remarks>
internal sealed partial class ContextEvents : IResettableService
{
    private readonly DbContext _context;
    private readonly ContextStore _store;
    private readonly List<EventDraft> _drafts = [];
    private readonly List<LeaseClaim> _claims = [];
    private bool? _hasEntitiesWithEvents;

    // The transaction that the application has given to the context, and that it may commit without the context.
    private Guid _usedTransaction;
    private RunningSave? _save;
    private SavedEvents? _saved;
    private IUnitOfWork? _unit;

    public ContextEvents(ICurrentDbContext current, IDbContextOptions options) =>
        (_context, _store) = (current.Context, options.FindExtension<ContextExtension>()!.Store);

    public StoreOutbox Outbox => _store.Outbox;

    private DatabaseFacade Database => _context.Database;

    private IRelationalConnection Connection => _context.GetService<IRelationalConnection>();

    private bool HasTransaction =>
        Database.CurrentTransaction is not null
        || Connection is ITransactionEnlistmentManager { EnlistedTransaction: not null }
        || Connection is ITransactionEnlistmentManager { CurrentAmbientTransaction: not null };

    /// <summary>Returns the events of a context.</summary>
    /// <exception cref="InvalidOperationException">The context does not use Dunlin.</exception>
    public static ContextEvents Of(DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Find(context)
            ?? throw new InvalidOperationException(
                $"{context.GetType().Name} does not use Dunlin. Call AddDunlin().UseEntityFramework<{context.GetType().Name}>()."
            );
    }

    public static ContextEvents? Find(DbContext? context) =>
        context is null ? null : ((IInfrastructure<IServiceProvider>)context).Instance.GetService<ContextEvents>();

    public void Publish(EventDraft draft)
    {
        ArgumentNullException.ThrowIfNull(draft);
        Outbox.Check([draft]);
        _drafts.Add(draft);
    }

    public void Require(LeaseClaim claim)
    {
        ArgumentNullException.ThrowIfNull(claim);
        _claims.Add(claim);
    }

    /// <summary>Begins a <c>SaveChanges</c>.</summary>
    public void Begin()
    {
        // An interceptor may have refused the last save after its beginning, which EF Core does not report.
        Fail();
        Settle();
        var entities = EntitiesWithEvents();
        if (_drafts.Count == 0 && _claims.Count == 0 && entities.Count == 0)
            return;
        List<EventDraft> drafts = [.. _drafts, .. entities.SelectMany(static entity => entity.GetEvents())];
        if (drafts.Count > 0)
            Outbox.Check(drafts);
        _save = new RunningSave(drafts, [.. _claims], entities, _drafts.Count, Database.AutoTransactionBehavior);
        // Without this, EF Core saves a single change outside of a transaction.
        if (!HasTransaction)
            Database.AutoTransactionBehavior = AutoTransactionBehavior.Always;
        _context.SavedChanges += OnSavedChanges;
    }

    /// <summary>Saves the events of a <c>SaveChanges</c> that did not run in a transaction of its own, and ends it.</summary>
    public async ValueTask CompleteAsync(bool isAsync, CancellationToken cancellationToken)
    {
        if (_save is not { } save)
            return;
        if (_unit is { } unit)
            await AppendAsync(unit, save, cancellationToken);
        else if (HasTransaction)
            await WriteInOpenTransactionAsync(isAsync, save, cancellationToken);
        else if (!save.IsCommitted)
            await CommitAloneAsync(isAsync, cancellationToken);
        foreach (var entity in save.Entities)
            entity.ClearEvents();
        _drafts.RemoveRange(0, save.Pending);
        _claims.RemoveRange(0, save.Claims.Count);
        Database.AutoTransactionBehavior = save.Behavior;
    }

    /// <summary>Ends a <c>SaveChanges</c> that has failed. Its events stay pending.</summary>
    public void Fail()
    {
        if (_save is not { } save)
            return;
        Database.AutoTransactionBehavior = save.Behavior;
        _context.SavedChanges -= OnSavedChanges;
        _save = null;
    }

    public void Use(Guid transaction) => _usedTransaction = transaction;

    /// <summary>Writes what belongs to a transaction that EF Core is about to commit, and commits it if it has events.</summary>
    /// <returns>Whether the transaction was committed.</returns>
    public async ValueTask<bool> CommitAsync(bool isAsync, DbTransaction transaction, Guid id, CancellationToken cancellationToken)
    {
        string? trackedId;
        if (_save is { } save)
        {
            if (save.IsCommitted)
                throw new InvalidOperationException(
                    "The changes were committed, and then an interceptor refused them. Call UseEntityFramework after AddDbContext, "
                        + "so that interceptors which refuse a commit run first."
                );
            trackedId = await WriteAsync(isAsync, transaction, save.Drafts, cancellationToken);
            // After the write: SQLite then has the lock of its only writer.
            await RequireAsync(isAsync, transaction, save.Claims, isLocked: true, cancellationToken);
        }
        else if (_saved is { } saved && saved.Transaction == id)
        {
            await RequireAsync(isAsync, transaction, saved.Claims, isLocked: true, cancellationToken);
            trackedId = saved.TrackedId;
        }
        else
        {
            return false;
        }
        if (trackedId is null)
            return false;
        try
        {
            if (isAsync)
                await transaction.CommitAsync(cancellationToken);
            else
                transaction.Commit();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            if (!await _store.WasCommittedAsync(trackedId, fault))
                throw;
        }
        // Set here too: an interceptor that runs after this one may still throw, and a strategy must not save again then.
        _save?.IsCommitted = true;
        return true;
    }

    public void Committed(Guid id)
    {
        if (_save is { } save)
            save.IsCommitted = true;
        else if (_saved?.Transaction == id)
            _saved = null;
        else
            return;
        _store.Store.WakeOutbox();
    }

    void IResettableService.ResetState()
    {
        Fail();
        _context.SavedChanges -= OnSavedChanges;
        _drafts.Clear();
        _claims.Clear();
        (_saved, _unit, _usedTransaction) = (null, null, default);
    }

    Task IResettableService.ResetStateAsync(CancellationToken cancellationToken)
    {
        ((IResettableService)this).ResetState();
        return Task.CompletedTask;
    }

    private List<IHasEvents> EntitiesWithEvents()
    {
        _hasEntitiesWithEvents ??= _context.Model.GetEntityTypes().Any(static type => type.ClrType.IsAssignableTo(typeof(IHasEvents)));
        return _hasEntitiesWithEvents.Value
            ?
            [
                .. _context
                    .ChangeTracker.Entries<IHasEvents>()
                    .Select(static entry => entry.Entity)
                    .Where(static e => e.GetEvents().Count > 0),
            ]
            : [];
    }

    private void OnSavedChanges(object? sender, SavedChangesEventArgs e)
    {
        _context.SavedChanges -= OnSavedChanges;
        // A transaction that fails returns unaccepted changes to their caller, who saves them again. So do their events.
        if (!e.AcceptAllChangesOnSuccess && _save is { } save && _saved is { MayRestore: true } saved)
        {
            saved.Drafts.AddRange(save.Drafts);
            saved.UnacceptedClaims.AddRange(save.Claims);
        }
        _save = null;
    }

    /// <summary>Ends the events of a transaction that ended without a commit.</summary>
    private void Settle()
    {
        if (
            _saved is not { } saved
            || (saved.Unit is null ? Database.CurrentTransaction?.TransactionId == saved.Transaction : saved.Unit == _unit)
        )
            return;
        _saved = null;
        _drafts.InsertRange(0, saved.Drafts);
        _claims.InsertRange(0, saved.UnacceptedClaims);
    }

    private async ValueTask<string?> WriteAsync(
        bool isAsync,
        DbTransaction? transaction,
        IReadOnlyList<EventDraft> drafts,
        CancellationToken cancellationToken
    )
    {
        if (drafts.Count == 0)
            return null;
        var connection = Connection.DbConnection;
        return isAsync
            ? await Outbox.AddTrackedAsync(connection, transaction, drafts, cancellationToken)
            : Outbox.AddTracked(connection, transaction, drafts);
    }

    private async ValueTask RequireAsync(
        bool isAsync,
        DbTransaction? transaction,
        IReadOnlyList<LeaseClaim> claims,
        bool isLocked,
        CancellationToken cancellationToken
    )
    {
        var connection = Connection.DbConnection;
        foreach (var claim in claims)
        {
            if (isAsync)
                await _store.Leases.RequireAsync(connection, transaction, claim, isLocked, cancellationToken);
            else
                _store.Leases.Require(connection, transaction, claim, isLocked);
        }
    }

    private async ValueTask WriteInOpenTransactionAsync(bool isAsync, RunningSave save, CancellationToken cancellationToken)
    {
        var current = Database.CurrentTransaction;
        var transaction = current?.GetDbTransaction();
        var isCommittedHere = current is not null && current.TransactionId != _usedTransaction;
        // In a TransactionScope, EF Core closes the connection after each call.
        if (isAsync)
            await Database.OpenConnectionAsync(cancellationToken);
        else
            Database.OpenConnection();
        try
        {
            var trackedId = await WriteAsync(isAsync, transaction, save.Drafts, cancellationToken);
            await RequireAsync(isAsync, transaction, save.Claims, !isCommittedHere, cancellationToken);
            if (current is null)
                return;
            _saved ??= new SavedEvents(current.TransactionId, null, isCommittedHere);
            _saved.TrackedId = trackedId ?? _saved.TrackedId;
            if (isCommittedHere)
                _saved.Claims.AddRange(save.Claims);
        }
        finally
        {
            if (isAsync)
                await Database.CloseConnectionAsync();
            else
                Database.CloseConnection();
        }
    }

    /// <summary>Commits a <c>SaveChanges</c> that had no change, but events or leases.</summary>
    private async ValueTask CommitAloneAsync(bool isAsync, CancellationToken cancellationToken)
    {
        var strategy = Database.CreateExecutionStrategy();
        if (!isAsync)
        {
            strategy.Execute(() =>
            {
                using var transaction = Database.BeginTransaction();
                transaction.Commit();
            });
            return;
        }
        await strategy.ExecuteAsync(
            async ct =>
            {
                await using var transaction = await Database.BeginTransactionAsync(ct);
                await transaction.CommitAsync(ct);
            },
            cancellationToken
        );
    }
}
