using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Replicache.Pokes;

/// <summary>The topics that tell users to pull: <c>replicache/{user}</c>, with one event per commit.</summary>
internal static class PokeTopics
{
    public const string Root = "replicache";

    /// <summary>Names the streams of these topics where they are counted.</summary>
    public const string CountName = "replicache";

    public const string EventType = "poke";

    /// <summary>Gets the wire format. One object for all connections, because connections share encoded frames per format object.</summary>
    public static IWireFormat Format { get; } = WireFormats.Word("sync");

    public static TopicName Of(string userId) => TopicName.Of(Root, userId);

    public static bool IsPoke(TopicName topic) => topic.IsUnder(Root);
}

/// <summary>Allows each user to read the pokes of that user only.</summary>
internal sealed class PokeAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(topic == PokeTopics.Of(caller.UserId));
}

/// <summary>Extends <see cref="IUnitOfWork"/> with pokes for changes made outside of a push.</summary>
public static class PokeExtensions
{
    private static readonly ReadOnlyMemory<byte> Nothing = "{}"u8.ToArray();

    /// <summary>Appends a poke for each user who can see a change of <paramref name="records"/>. The pokes take effect when the unit of
    /// work commits. Call it once, at the end of the unit.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="records">The writer that made the changes.</param>
    /// <param name="origin">The origin of the change. Default: null.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
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

    /// <summary>Appends a poke for one user. It takes effect when the unit of work commits.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="userId">The user.</param>
    /// <param name="origin">The origin of the change. Default: null.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static async ValueTask AppendPokeAsync(
        this IUnitOfWork unit,
        string userId,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    ) => await unit.AppendAsync(new EventDraft(PokeTopics.Of(userId), PokeTopics.EventType, Nothing, origin), cancellationToken);
}
