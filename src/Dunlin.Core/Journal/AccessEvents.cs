using System.Text.Json;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>
/// Changes of access that are announced in the transaction of what changes them: once it is committed all nodes hear of it, even where
/// the one that committed dies in that moment; and nobody does where it is rolled back. Every node reads all of the journal, so none
/// can miss it. What is open follows within moments: streams close or narrow, cached sessions and rights are dropped.
/// </summary>
public static class AccessEvents
{
    internal const string RightsChangedType = "rights.changed";
    internal const string SessionEndedType = "session.ended";
    internal const string EverythingChangedType = "everything.changed";

    internal static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "access");

    /// <summary>Announces that what a user may do or see changes with this unit of work: the policies are asked again about what
    /// the user has open. Taking a space of records with <c>RecordWriter.RevokeAsync</c> does it by itself.</summary>
    public static async ValueTask RightsChangedAsync(this IUnitOfWork unit, string userId, CancellationToken cancellationToken = default) =>
        await unit.AppendAsync(RightsChanged(userId, null), cancellationToken);

    /// <summary>Announces that a session ends with this unit of work: for session stores that several nodes share.</summary>
    public static async ValueTask SessionEndedAsync(
        this IUnitOfWork unit,
        EndedSession ended,
        CancellationToken cancellationToken = default
    ) => await unit.AppendAsync(SessionEnded(ended, null), cancellationToken);

    /// <param name="userId">Whose rights.</param>
    /// <param name="node">The node that has heard of it already; null where none has.</param>
    internal static EventDraft RightsChanged(string userId, string? node) => Draft(AccessChange.OfRights(userId), node);

    /// <inheritdoc cref="RightsChanged"/>
    internal static EventDraft SessionEnded(EndedSession ended, string? node) => Draft(AccessChange.OfSession(ended), node);

    /// <summary>The event that announces a change.</summary>
    internal static EventDraft Draft(AccessChange change, string? node) =>
        EventDraft.Of(
            Topic,
            change == AccessChange.Everything ? EverythingChangedType
                : change.SessionId is null ? RightsChangedType
                : SessionEndedType,
            change,
            node is null ? null : new EventOrigin(DeviceId: node)
        );

    /// <summary>The change that an event announces.</summary>
    internal static AccessChange? Read(DunlinEvent entry) =>
        JsonSerializer.Deserialize<AccessChange>(entry.Data.Span, JsonSerializerOptions.Web);
}
