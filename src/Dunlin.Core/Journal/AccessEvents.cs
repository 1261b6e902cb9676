using System.Text.Json;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// Announces changes of access rights and ended sessions as events of the journal, in the same transaction as the change.
/// </summary>
/// <remarks>
/// If the transaction commits, every node receives the announcement, even if the committing node fails at that moment. If it rolls back, no
/// node receives it. Receiving nodes close or narrow open streams and drop cached sessions and rights.
/// </remarks>
public static class AccessEvents
{
    internal const string RightsChangedType = "rights.changed";
    internal const string SessionEndedType = "session.ended";
    internal const string EverythingChangedType = "everything.changed";

    internal static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "access");

    /// <summary>
    /// Announces that the rights of a user change with this unit of work. All nodes check the user's open streams against the access
    /// policies again.
    /// </summary>
    /// <remarks><c>RecordWriter.RevokeAsync</c> makes this announcement itself.</remarks>
    /// <param name="unit">The unit of work that changes the rights.</param>
    /// <param name="userId">The user whose rights change.</param>
    /// <param name="cancellationToken">Cancels the append.</param>
    public static async ValueTask RightsChangedAsync(this IUnitOfWork unit, string userId, CancellationToken cancellationToken = default) =>
        await unit.AppendAsync(RightsChanged(userId, null), cancellationToken);

    /// <summary>Announces that a session ends with this unit of work. For session stores that several nodes share.</summary>
    /// <param name="unit">The unit of work that ends the session.</param>
    /// <param name="ended">The session that ends.</param>
    /// <param name="cancellationToken">Cancels the append.</param>
    internal static async ValueTask SessionEndedAsync(
        this IUnitOfWork unit,
        EndedSession ended,
        CancellationToken cancellationToken = default
    ) => await unit.AppendAsync(SessionEnded(ended, null), cancellationToken);

    /// <param name="userId">The user whose rights change.</param>
    /// <param name="node">The node that has applied the change already; null if none has.</param>
    internal static EventDraft RightsChanged(string userId, string? node) => Draft(AccessChange.OfRights(userId), node);

    /// <inheritdoc cref="RightsChanged"/>
    internal static EventDraft SessionEnded(EndedSession ended, string? node) => Draft(AccessChange.OfSession(ended), node);

    /// <summary>Creates the event that announces a change.</summary>
    internal static EventDraft Draft(AccessChange change, string? node) =>
        EventDraft.Of(
            Topic,
            change == AccessChange.Everything ? EverythingChangedType
                : change.SessionId is null ? RightsChangedType
                : SessionEndedType,
            change,
            JournalJson.Default.AccessChange,
            node is null ? null : new EventOrigin(DeviceId: node)
        );

    /// <summary>Reads the change that an event announces.</summary>
    internal static AccessChange? Read(DunlinEvent entry) => JsonSerializer.Deserialize(entry.Data.Span, JournalJson.Default.AccessChange);
}
