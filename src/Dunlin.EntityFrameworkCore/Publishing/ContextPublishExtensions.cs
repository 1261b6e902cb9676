using System.Diagnostics.CodeAnalysis;
using Dunlin.Diagnostics;
using Dunlin.EntityFrameworkCore.Transactions;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;

namespace Dunlin.EntityFrameworkCore;

/// <summary>Events and leases of a context that was registered with <c>UseEntityFramework</c>. As the context itself, not
/// thread-safe.</summary>
public static class ContextPublishExtensions
{
    private const string NeedsReflection = "The data is serialised by reflection.";

    extension(DbContext context)
    {
        /// <summary>Publishes an event with the next <c>SaveChanges</c>, in the same transaction.</summary>
        /// <remarks>If <c>SaveChanges</c> fails, the event stays pending with the changes. If the transaction rolls back, or the context
        /// ends before, it never existed.</remarks>
        /// <param name="topic">The topic.</param>
        /// <param name="type">The type, for example <c>order.paid</c>: 1 to 100 printable ASCII characters without spaces.</param>
        /// <param name="data">The data, serialised now with <see cref="System.Text.Json.JsonSerializerOptions.Web"/>.</param>
        /// <param name="origin">The cause of the event; null if there is none.</param>
        /// <typeparam name="T">The type of the data.</typeparam>
        /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/> or <see cref="ErrorCode.InvalidTopic"/>: a value is not
        /// valid. <see cref="ErrorCode.TooLarge"/>: the data has more than 1 MiB.</exception>
        /// <exception cref="InvalidOperationException">The context does not use Dunlin, or Dunlin has no SQL store.</exception>
        [RequiresUnreferencedCode(NeedsReflection)]
        [RequiresDynamicCode(NeedsReflection)]
        public void Publish<T>(TopicName topic, string type, T data, EventOrigin? origin = null) =>
            context.Publish(EventDraft.Of(topic, type, data, origin));

        /// <summary>Publishes an event with the next <c>SaveChanges</c>, in the same transaction.</summary>
        /// <param name="draft">The event.</param>
        /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the database cannot store a text of the event.
        /// <see cref="ErrorCode.TooLarge"/>: the data has more than 1 MiB.</exception>
        /// <exception cref="InvalidOperationException">The context does not use Dunlin, or Dunlin has no SQL store.</exception>
        public void Publish(EventDraft draft) => ContextEvents.Of(context).Publish(draft);

        /// <summary>Lets the transaction of the next <c>SaveChanges</c> commit only while a lease is held.</summary>
        /// <remarks>
        /// EF Core's own transactions check the lease just before the commit, and lock it until the commit has ended. A transaction that
        /// the application ends itself (<c>UseTransaction</c>, <c>TransactionScope</c>) is checked and locked by <c>SaveChanges</c>. If the
        /// lease is lost, the call that saves or commits throws <see cref="DunlinException"/> with <see cref="ErrorCode.LeaseLost"/>, and
        /// nothing is stored.
        /// </remarks>
        /// <param name="claim">The claim of the holder.</param>
        /// <exception cref="InvalidOperationException">The context does not use Dunlin.</exception>
        public void RequireLease(LeaseClaim claim) => ContextEvents.Of(context).Require(claim);

        /// <summary>Lets the transaction of the next <c>SaveChanges</c> commit only while the handle holds its lease; see
        /// <c>RequireLease(LeaseClaim)</c>.</summary>
        /// <param name="lease">The handle.</param>
        /// <exception cref="InvalidOperationException">The context does not use Dunlin.</exception>
        public void RequireLease(Lease lease)
        {
            ArgumentNullException.ThrowIfNull(lease);
            context.RequireLease(lease.Claim);
        }

        /// <summary>Returns a position at or after all events that have committed before the call, for "read your writes".</summary>
        /// <remarks>A reader whose position has reached it has received the events that it may read.</remarks>
        /// <param name="cancellationToken">Cancels the call.</param>
        /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/> or <see cref="ErrorCode.OutcomeUnknown"/>: the store
        /// failed. Committed events are delivered later.</exception>
        /// <exception cref="InvalidOperationException">The context does not use Dunlin, or the caller runs inside a unit of
        /// work.</exception>
        public ValueTask<Position> PublishedPositionAsync(CancellationToken cancellationToken = default) =>
            ContextEvents.Of(context).Outbox.FlushAsync(cancellationToken);
    }
}
