using Dunlin.Fanout;
using Dunlin.Journal;

namespace Dunlin.Apps.Documents;

/// <summary>The events of the stream, under the names of the contract.</summary>
internal static class DocumentEvents
{
    public const string FileDataChanged = "fileDataChanged";
    public const string LockReleased = "lockReleased";
    public const string Notification = "notification";
    public const string ForceLogout = "forceLogout";
    public const string MaintenanceChanged = "maintenanceChanged";

    public static EventDraft Changed(string collectionId, string reason, string stableId, EventOrigin? origin, string? lockedBy = null) =>
        lockedBy is null
            ? EventDraft.Of(DocumentNames.Topic(collectionId), FileDataChanged, new { reason, stable_id = stableId }, origin)
            : EventDraft.Of(
                DocumentNames.Topic(collectionId),
                FileDataChanged,
                new
                {
                    reason,
                    stable_id = stableId,
                    locked_by = lockedBy,
                },
                origin
            );

    public static EventDraft Deleted(string collectionId, IEnumerable<string> stableIds, EventOrigin origin) =>
        EventDraft.Of(DocumentNames.Topic(collectionId), FileDataChanged, new { reason = "files_deleted", stable_ids = stableIds }, origin);

    public static EventDraft Restored(string collectionId, IEnumerable<string> stableIds, EventOrigin origin) =>
        EventDraft.Of(
            DocumentNames.Topic(collectionId),
            FileDataChanged,
            new { reason = "files_restored", stable_ids = stableIds },
            origin
        );

    public static EventDraft Released(string collectionId, string stableId, EventOrigin? origin) =>
        EventDraft.Of(DocumentNames.Topic(collectionId), LockReleased, new { stable_id = stableId }, origin);

    public static EventDraft CollectionsChanged(string userId, EventOrigin origin) =>
        EventDraft.Of(DocumentNames.UserTopic(userId), FileDataChanged, new { reason = "collections_changed" }, origin);

    public static EventDraft Notify(string message, string variant, EventOrigin? origin) =>
        EventDraft.Of(DocumentNames.NoticesTopic, Notification, new { message, variant }, origin);
}

/// <summary>
/// Encodes named events with their data only, as the contract requires. Skips the engine's own events on these topics, such as presence.
/// </summary>
internal sealed class DocumentFormat : IWireFormat
{
    public static readonly DocumentFormat Instance = new();

    public void Write(DunlinEvent source, FrameWriter frame)
    {
        if (
            source.Type
            is not (
                DocumentEvents.FileDataChanged
                or DocumentEvents.LockReleased
                or DocumentEvents.Notification
                or DocumentEvents.MaintenanceChanged
            )
        )
            return;
        frame.Name(source.Type);
        frame.Data(source.Data.Span);
    }
}
