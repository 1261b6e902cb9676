using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Replicache.Pokes;

/// <summary>The topics on which users are told to pull: <c>replicache/{user}</c>, one event for all that a commit changed.</summary>
internal static class PokeTopics
{
    public const string Root = "replicache";

    /// <summary>Names the streams of these topics where they are counted.</summary>
    public const string CountName = "replicache";

    public const string EventType = "poke";

    /// <summary>One object for all connections: frames are shared by format object.</summary>
    public static IWireFormat Format { get; } = WireFormats.Word("sync");

    public static TopicName Of(string userId) => TopicName.Of(Root, userId);

    public static bool IsPoke(TopicName topic) => topic.IsUnder(Root);
}

/// <summary>Everybody may hear of one's own changes, and nobody of another's.</summary>
internal sealed class PokeAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(topic == PokeTopics.Of(caller.UserId));
}

/// <summary>Pokes from changes that are made outside of a push.</summary>
public static class PokeExtensions
{
    private static readonly ReadOnlyMemory<byte> Nothing = "{}"u8.ToArray();

    /// <summary>Tells every user who sees something of what <paramref name="records"/> has changed to pull, once the unit of
    /// work commits. Call it once, at the end of the unit.</summary>
    public static async ValueTask AppendPokesAsync(
        this IUnitOfWork unit,
        Records.RecordWriter records,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        foreach (var userId in await records.AffectedUsersAsync(cancellationToken))
            await unit.AppendPokeAsync(userId, origin, cancellationToken);
    }

    /// <summary>Tells one user to pull, once the unit of work commits.</summary>
    public static async ValueTask AppendPokeAsync(
        this IUnitOfWork unit,
        string userId,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => await unit.AppendAsync(new EventDraft(PokeTopics.Of(userId), PokeTopics.EventType, Nothing, origin), cancellationToken);
}
