using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Topics;

/// <summary>
/// Changes of access that are announced in the transaction of what changes them: once it is committed all nodes hear of it, even where
/// the one that committed dies in that moment; and nobody does where it is rolled back. Every node reads all of the journal, so none
/// can miss it. What is open follows within moments: streams close or narrow, cached sessions and rights are dropped.
/// </summary>
public static class AccessEvents
{
    internal const string RightsChangedType = "rights.changed";
    internal const string SessionEndedType = "session.ended";

    internal static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "access");

    /// <summary>Announces that what a user may do or see changes with this unit of work: the policies are asked again about what
    /// the user has open. Taking a space of records with <c>RecordWriter.RevokeAsync</c> does it by itself.</summary>
    public static async ValueTask RightsChangedAsync(this IUnitOfWork unit, string userId, CancellationToken cancellationToken = default) =>
        await unit.AppendAsync(RightsChanged(userId, null), cancellationToken);

    /// <summary>Announces that a session ends with this unit of work: for session stores that several nodes share.</summary>
    public static async ValueTask SessionEndedAsync(this IUnitOfWork unit, EndedSession ended, CancellationToken cancellationToken = default) =>
        await unit.AppendAsync(SessionEnded(ended, null), cancellationToken);

    /// <param name="userId">Whose rights.</param>
    /// <param name="node">The node that has heard of it already; null where none has.</param>
    internal static EventDraft RightsChanged(string userId, string? node) =>
        EventDraft.Of(Topic, RightsChangedType, new Change(userId, null, null, null), Origin(node));

    /// <inheritdoc cref="RightsChanged"/>
    internal static EventDraft SessionEnded(EndedSession ended, string? node) => EventDraft.Of(
        Topic,
        SessionEndedType,
        new Change(ended.UserId, ended.SessionId, ended.Reason, ended.LastFrame.IsEmpty ? null : ended.LastFrame.ToArray()),
        Origin(node));

    /// <summary>Tells this node's listeners of an announced change.</summary>
    internal static void Tell(Event entry, AccessChanges changes)
    {
        if (JsonSerializer.Deserialize<Change>(entry.Data.Span, JsonSerializerOptions.Web) is not { } change)
            return;
        if (change.SessionId is { } sessionId)
            changes.SessionEnded(new EndedSession(change.UserId, sessionId, change.Reason ?? "") { LastFrame = change.LastFrame });
        else
            changes.RightsChanged(change.UserId);
    }

    private static EventOrigin? Origin(string? node) => node is null ? null : new EventOrigin(DeviceId: node);

    private sealed record Change(string UserId, string? SessionId, string? Reason, byte[]? LastFrame);
}
