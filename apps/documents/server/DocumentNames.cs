using Dunlin.Topics;

namespace Dunlin.Apps.Documents;

/// <summary>
/// The topics and resources of this system. <c>documents/{collection}</c> carries the events of a collection.
/// <c>documents/{collection}/{stable_id}</c> is the lock of one file. <c>documents-users/{user}</c> carries events for one user, and
/// <c>documents-notices</c> events for all users. <c>documents-drafts/{collection}/{stable_id}/{draft}</c> is the Yjs document of a shared
/// draft.
/// </summary>
internal static class DocumentNames
{
    public const string Root = "documents";

    public const string Users = "documents-users";

    public const string Notices = "documents-notices";

    public const string Drafts = "documents-drafts";

    public static TopicName Topic(string collectionId) => TopicName.Of(Root, collectionId);

    public static TopicName UserTopic(string userId) => TopicName.Of(Users, userId);

    public static TopicName NoticesTopic { get; } = TopicName.Parse(Notices);

    public static TopicName DraftTopic(string collectionId, string stableId, string draftId) =>
        TopicName.Of(Drafts, collectionId, stableId, draftId);

    public static ResourceName Lock(string collectionId, string stableId) => ResourceName.Of(Root, collectionId, stableId);

    /// <summary>Returns collection and file of a lock; null if the name is no lock of this system.</summary>
    public static (string CollectionId, string StableId)? Parts(ResourceName resource)
    {
        var parts = resource.Value.Split('/');
        return parts.Length == 3 ? (parts[1], parts[2]) : null;
    }

    /// <summary>Returns collection, file and id of a shared draft; null if the name is no topic of a draft.</summary>
    public static (string CollectionId, string StableId, string Id)? DraftOf(TopicName topic)
    {
        var parts = topic.Value.Split('/');
        return parts.Length == 4 ? (parts[1], parts[2], parts[3]) : null;
    }

    /// <summary>Returns the collection of a topic; null if the name is no topic of this system.</summary>
    public static string? CollectionOf(TopicName topic)
    {
        var parts = topic.Value.Split('/');
        return parts.Length == 2 ? parts[1] : null;
    }
}
