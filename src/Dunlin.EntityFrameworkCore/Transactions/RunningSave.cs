using Dunlin.Journal;
using Dunlin.Leases;
using Microsoft.EntityFrameworkCore;

namespace Dunlin.EntityFrameworkCore.Transactions;

/// <summary>A <c>SaveChanges</c> that has events or leases. Not thread-safe.</summary>
/// <param name="Drafts">The events: those of the context, then those of its entities.</param>
/// <param name="Claims">The leases that must be held at the commit.</param>
/// <param name="Entities">The entities whose events are among them.</param>
/// <param name="Pending">The number of events of the context.</param>
/// <param name="Behavior">The setting of the context to restore.</param>
internal sealed record RunningSave(
    IReadOnlyList<EventDraft> Drafts,
    IReadOnlyList<LeaseClaim> Claims,
    IReadOnlyList<IHasEvents> Entities,
    int Pending,
    AutoTransactionBehavior Behavior
)
{
    /// <summary>Gets or sets whether a transaction with these events was committed.</summary>
    public bool IsCommitted { get; set; }
}

/// <summary>What <c>SaveChanges</c> has saved in a transaction that has not ended. Not thread-safe.</summary>
/// <param name="Transaction">The transaction; the default value for a unit of work.</param>
/// <param name="Unit">The unit of work; null for a transaction.</param>
/// <param name="MayRestore">Whether the context learns of the commit, so that a missing one means a failure.</param>
internal sealed record SavedEvents(Guid Transaction, IUnitOfWork? Unit, bool MayRestore)
{
    /// <summary>Gets or sets the id by which the store finds the outcome; null if it needs none.</summary>
    public string? TrackedId { get; set; }

    /// <summary>Gets the leases to check at the commit.</summary>
    public List<LeaseClaim> Claims { get; } = [];

    /// <summary>Gets the events of changes that were not accepted.</summary>
    public List<EventDraft> Drafts { get; } = [];

    /// <summary>Gets the leases of changes that were not accepted.</summary>
    public List<LeaseClaim> UnacceptedClaims { get; } = [];
}
