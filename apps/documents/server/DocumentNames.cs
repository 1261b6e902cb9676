using Dunlin.Topics;

namespace Dunlin.Apps.Documents;

/// <summary>Topics and resources of this system: <c>documents/{collection}</c> tells of a collection,
/// <c>documents/{collection}/{stable_id}</c> is the lock of one file, <c>documents-users/{user}</c> tells one user of what
/// concerns nobody else, and <c>documents-notices</c> tells everybody.</summary>
internal static class DocumentNames
{
    public const string Root = "documents";

    public const string Users = "documents-users";

    public const string Notices = "documents-notices";

    public static TopicName Topic(string collectionId) => TopicName.Of(Root, collectionId);

    public static TopicName UserTopic(string userId) => TopicName.Of(Users, userId);

    public static TopicName NoticesTopic { get; } = TopicName.Parse(Notices);

    public static ResourceName Lock(string collectionId, string stableId) => ResourceName.Of(Root, collectionId, stableId);

    /// <summary>Collection and file of a lock of this system; null where the name is none.</summary>
    public static (string CollectionId, string StableId)? Parts(ResourceName resource)
    {
        var parts = resource.Value.Split('/');
        return parts.Length == 3 ? (parts[1], parts[2]) : null;
    }

    /// <summary>The collection of a topic of this system; null where the name is none.</summary>
    public static string? CollectionOf(TopicName topic)
    {
        var parts = topic.Value.Split('/');
        return parts.Length == 2 ? parts[1] : null;
    }
}
