using System.Text.Json;
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
        var data = new
        {
            resource = change.Resource.Value,
            fence = change.FencingToken.Number,
            owner = PublicOwner.Of(change.Owner),
            expiresAt = change.ExpiresAt,
            reason = change.Kind is LeaseChangeKind.Granted or LeaseChangeKind.Queued ? null : LeaseErrors.WireName(change.End),
            text = change.Reason,
        };
        await unit.AppendAsync(EventDraft.OfEngine(topic, type, data, change.Origin), cancellationToken);
    }
}
