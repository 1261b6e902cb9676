using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Leases;

/// <summary>Announces lease changes with the engine's own event types, for resources without an announcer of the application.</summary>
internal sealed class DefaultLeaseAnnouncer : ILeaseAnnouncer
{
    public static readonly DefaultLeaseAnnouncer Instance = new();

    public async ValueTask AnnounceAsync(LeaseChange change, IUnitOfWork unit, CancellationToken cancellationToken)
    {
        var topic = TopicName.Parse("leases/" + change.Resource.FirstSegment);
        var type = "lease." + JsonNamingPolicy.CamelCase.ConvertName(change.Kind.ToString());
        var data = new Announcement(
            change.Resource.Value,
            change.FencingToken.Number,
            PublicOwner.Of(change.Owner),
            change.ExpiresAt,
            change.Kind is LeaseChangeKind.Granted or LeaseChangeKind.Queued ? null : LeaseErrors.WireName(change.End),
            change.Reason
        );
        await unit.AppendAsync(EventDraft.OfEngine(topic, type, data, LeaseJson.Default.Announcement, change.Origin), cancellationToken);
    }

    /// <summary>The data of the event.</summary>
    internal sealed record Announcement(
        string Resource,
        [property: JsonPropertyName("fence")] long FencingToken,
        PublicOwner Owner,
        DateTimeOffset? ExpiresAt,
        string? Reason,
        string? Text
    );
}
