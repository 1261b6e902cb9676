using System.Text.Json;

namespace Dunlin.DurableStreams;

/// <summary>What came of a delivery to a webhook.</summary>
internal enum StreamDeliveryOutcome
{
    /// <summary>The receiver has processed the streams of the wake.</summary>
    Done,

    /// <summary>The receiver has taken the wake and will acknowledge it.</summary>
    Accepted,

    /// <summary>The receiver cannot be reached or refused the wake.</summary>
    Failed,

    /// <summary>The receiver says that it is gone for good.</summary>
    Gone,

    /// <summary>The node stops. Another one repeats the delivery.</summary>
    Returned,
}

/// <summary>A delivery to begin. Immutable.</summary>
/// <param name="Row">The subscription, which is sending.</param>
/// <param name="Links">The pending streams of the wake.</param>
internal sealed record StreamDelivery(StreamSubscription Row, IReadOnlyList<StreamLink> Links);

/// <summary>The deliveries that a node may begin. Not thread-safe.</summary>
/// <param name="free">The number of deliveries.</param>
/// <param name="perOwner">The maximum number of deliveries of one owner at a time, so that no user delays the others.</param>
/// <param name="running">The owners of the deliveries that run.</param>
internal sealed class StreamDeliverySlots(int free, int perOwner, IEnumerable<string> running)
{
    private readonly Dictionary<string, int> _counts = running
        .CountBy(static owner => owner, StringComparer.Ordinal)
        .ToDictionary(StringComparer.Ordinal);
    private int _free = free;

    /// <summary>Gets whether a delivery was refused.</summary>
    public bool HasRefused { get; private set; }

    public bool TryTake(string owner)
    {
        var count = _counts.GetValueOrDefault(owner);
        if (_free <= 0 || count >= perOwner)
        {
            HasRefused = true;
            return false;
        }
        _counts[owner] = count + 1;
        _free--;
        return true;
    }
}

internal sealed partial class UnitStreamSubscriptions
{
    private const int MaxDue = 256;

    /// <summary>Ends leases, wakes workers, and takes deliveries that are due. The caller must send them.</summary>
    /// <param name="slots">The deliveries that the caller may begin.</param>
    /// <param name="attemptTime">The time after which another node may repeat a delivery without a result.</param>
    /// <param name="disableAfter">The time of failures after which a subscription is disabled.</param>
    /// <param name="cancellationToken">Cancels the change. The unit of work must then fail.</param>
    public async ValueTask<IReadOnlyList<StreamDelivery>> TakeDueAsync(
        StreamDeliverySlots slots,
        TimeSpan attemptTime,
        TimeSpan disableAfter,
        CancellationToken cancellationToken
    )
    {
        var deliveries = new List<StreamDelivery>();
        foreach (var due in await _table.ListDueAsync(_unit.Now, MaxDue, cancellationToken))
        {
            if (due.IsWebhook && !slots.TryTake(due.Owner))
                continue;
            var row = due;
            if (row is { IsSending: false, LeaseUntil: not null })
            {
                // A lease without an acknowledgement is a failed delivery; a lost worker is not.
                row = row.IsWebhook ? row.Failed(_unit.Now, disableAfter) : row;
                row = row.Ended(row.Status == StreamSubscriptionStatus.Disabled || row.IsWebhook ? row.DueAt : null);
            }
            if (row.Status != StreamSubscriptionStatus.Disabled && !(row.DueAt > _unit.Now))
                row = await StartAsync(row, attemptTime, deliveries, cancellationToken);
            await _table.SaveAsync(row, cancellationToken);
        }
        return deliveries;
    }

    /// <summary>Applies the result of a delivery. A result of an earlier delivery, or of an ended wake, has no effect.</summary>
    /// <returns>The subscription after the change; null if nothing changed.</returns>
    public async ValueTask<StreamSubscription?> CompleteAsync(
        StreamSubscription sent,
        StreamDeliveryOutcome outcome,
        TimeSpan disableAfter,
        CancellationToken cancellationToken
    )
    {
        if (
            await _table.FindAsync(sent.Id, cancellationToken) is not { IsSending: true } row
            || row.Incarnation != sent.Incarnation
            || row.Attempt != sent.Attempt
        )
            return null;
        if (outcome == StreamDeliveryOutcome.Done)
        {
            foreach (var tail in row.Snapshot)
            {
                if (await _table.FindLinkAsync(row.Id, Topics.TopicName.FromStored(tail.Topic), cancellationToken) is { } link)
                    await _table.SaveLinkAsync(link with { Acked = Math.Max(link.Acked, tail.Tail) }, cancellationToken);
            }
        }
        row = outcome switch
        {
            StreamDeliveryOutcome.Done => row.Succeeded().Ended(_unit.Now),
            StreamDeliveryOutcome.Accepted => row with
            {
                IsSending = false,
                Status = StreamSubscriptionStatus.Active,
                LeaseUntil = _unit.Now + row.LeaseDuration,
                DueAt = _unit.Now + row.LeaseDuration,
            },
            StreamDeliveryOutcome.Returned => row with { IsSending = false, DueAt = _unit.Now },
            _ => row.Failed(_unit.Now, outcome == StreamDeliveryOutcome.Gone ? TimeSpan.Zero : disableAfter),
        };
        await _table.SaveAsync(row, cancellationToken);
        return row;
    }

    /// <summary>Begins a wake, or repeats the delivery of the current one, with the streams that are pending now.</summary>
    private async ValueTask<StreamSubscription> StartAsync(
        StreamSubscription row,
        TimeSpan attemptTime,
        List<StreamDelivery> deliveries,
        CancellationToken cancellationToken
    )
    {
        if (!row.IsWebhook)
            return row.WakeId is null ? await AnnounceAsync(row, cancellationToken) : row with { DueAt = null };
        var links = await PendingAsync(row, cancellationToken);
        if (links.Count == 0)
            return row.Ended(null);
        row = (row.WakeId is null ? Woken(row) : row) with
        {
            IsSending = true,
            LeaseUntil = null,
            Attempt = row.Attempt + 1,
            Snapshot = Tails(links),
            DueAt = _unit.Now + attemptTime,
        };
        deliveries.Add(new StreamDelivery(row, links));
        return row;
    }

    /// <summary>Begins a wake of workers if streams are pending: appends to the wake stream in the same transaction.</summary>
    private async ValueTask<StreamSubscription> AnnounceAsync(StreamSubscription row, CancellationToken cancellationToken)
    {
        var links = await PendingAsync(row, cancellationToken);
        if (links.Count == 0)
            return row.Ended(null);
        var woken = Woken(row.Ended(null)) with { Snapshot = Tails(links) };
        var append = new StreamAppend { Messages = [WakeEvent(woken, links[0], _unit.Now)], ContentType = "application/json" };
        var result = await Streams.TryAppendAsync(Topics.TopicName.FromStored(row.WakeTopic!), append, cancellationToken);
        // Without its wake stream, a subscription is never disabled: workers may claim without an event.
        return result.IsSuccess ? woken.Succeeded() : row.Ended(null).Failed(_unit.Now, TimeSpan.MaxValue);
    }

    private ValueTask<IReadOnlyList<StreamLink>> PendingAsync(StreamSubscription row, CancellationToken cancellationToken) =>
        _table.ListLinksAsync(row.Id, pendingOnly: true, StreamSubscriptionLimits.MaxWakeStreams, cancellationToken);

    private static StreamSubscription Woken(StreamSubscription row) => row with { Generation = row.Generation + 1, WakeId = NewId("w_") };

    private static IReadOnlyList<StreamLinkTail> Tails(IReadOnlyList<StreamLink> links) =>
        [.. links.Select(static link => new StreamLinkTail(link.Topic.Value, link.Tail))];

    private static byte[] WakeEvent(StreamSubscription row, StreamLink first, DateTimeOffset now)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "wake"u8);
            json.WriteString("subscription_id"u8, row.Id);
            json.WriteString("stream"u8, row.PathOf(first.Topic.Value));
            json.WriteNumber("generation"u8, row.Generation);
            json.WriteNumber("ts"u8, now.ToUnixTimeMilliseconds());
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }
}
