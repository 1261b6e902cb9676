using Dunlin.Topics;

namespace Dunlin.RxDb.Hints;

/// <summary>The topics that tell users to pull: <c>rxdb/{user}</c>.</summary>
internal static class HintTopics
{
    public const string Root = "rxdb";

    /// <summary>Names the streams of these topics where they are counted.</summary>
    public const string CountName = "rxdb";

    /// <summary>Something of any collection: what the user may see has changed as a whole.</summary>
    public const string AccessEvent = "sync:access";

    public const string PingEvent = "sync:ping";

    public static TopicName Of(string userId) => TopicName.Of(Root, userId);

    public static bool IsHint(TopicName topic) => topic.IsUnder(Root);
}

/// <summary>Allows each user to read the hints for that user only.</summary>
internal sealed class HintAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(topic == HintTopics.Of(caller.UserId));
}
