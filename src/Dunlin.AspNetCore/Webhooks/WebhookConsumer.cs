using Dunlin.Consumers;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Webhooks;

/// <summary>Delivers the events of one endpoint while this node holds its consumer group.</summary>
/// <remarks>
/// A batch becomes stored deliveries in the unit of work that moves the cursor. The work beside it sends them: in order for each topic.
/// <code>
/// waiting -- 2xx ---------------------------> removed
/// waiting -- failure, attempts left --------> waiting (later)
/// waiting -- failure of the last attempt ---> dead -- redrive --> waiting
/// </code>
/// Every change of a delivery checks the claim, so a paused node changes nothing.
/// </remarks>
internal sealed partial class WebhookConsumer(WebhookRow endpoint, WebhookNode node) : IHeldConsumer
{
    private const int PageSize = 1_000;
    private const int MaxFault = 500;

    // A store that fails is asked again after this time. The delivery is repeated then.
    private static readonly TimeSpan StoreDelay = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = node.Logger;
    private WebhookQueue _queue = new(1, 0);
    private ConsumerClaim? _claim;
    private readonly WakeSignal _changed = new(); // a delivery was added, or an attempt has ended
    private readonly WakeSignal _removed = new(); // an attempt has ended, so the queue may have room
    private volatile bool _isLost;

    public async Task BeginAsync(ConsumerClaim claim, CancellationToken holding)
    {
        var queue = new WebhookQueue(endpoint.MaxConcurrent, endpoint.MaxPerSecond);
        var after = 0L;
        while (true)
        {
            var page = await node.Store.ReadAsync(
                (scope, ct) =>
                    WebhookScopes.TableOf(scope).ListDeliveriesAsync(endpoint.Id, WebhookDeliveryState.Waiting, after, PageSize, ct),
                holding
            );
            foreach (var delivery in page)
                queue.Add(delivery);
            if (page.Count < PageSize)
                break;
            after = page[^1].Offset;
        }
        (_queue, _claim, _isLost) = (queue, claim, false);
    }

    public async ValueTask ConsumeAsync(EventBatch batch, CancellationToken cancellationToken)
    {
        var wanted = batch.Events.Where(entry => !entry.IsRestricted && WebhookTypes.Match(endpoint.Types, entry.Type)).ToList();
        for (var stored = 0; stored < wanted.Count; )
        {
            var signal = _removed.Renew();
            var room = node.Options.MaxWaiting - _queue.Count;
            if (room <= 0)
            {
                await signal.WaitAsync(cancellationToken);
                continue;
            }
            var part = wanted.GetRange(stored, Math.Min(room, wanted.Count - stored));
            stored += part.Count;
            var through = stored == wanted.Count ? batch.Through : part[^1].Position;
            var added = await node.Store.WriteAsync(
                async (unit, ct) =>
                {
                    var deliveries = part.ConvertAll(entry => DeliveryOf(entry, unit.Now));
                    foreach (var delivery in deliveries)
                        await WebhookScopes.TableOf(unit).AddDeliveryAsync(delivery, ct);
                    await batch.CheckpointAsync(unit, through, ct);
                    return deliveries;
                },
                cancellationToken
            );
            foreach (var delivery in added)
                _queue.Add(delivery with { Payload = default });
            _changed.Set();
        }
    }

    public async ValueTask OnGapAsync(EventGap gap, CancellationToken cancellationToken) =>
        await node.Store.WriteAsync(
            (unit, ct) =>
                WebhookNotices.AppendAsync(
                    unit,
                    WebhookNotices.Gap,
                    new WebhookNotice(endpoint.Id, $"Retention removed events between {gap.After} and {gap.Through}."),
                    ct
                ),
            cancellationToken
        );

    public async Task HoldAsync(CancellationToken holding)
    {
        var running = new List<Task>();
        try
        {
            while (true)
            {
                var signal = _changed.Renew();
                running.RemoveAll(static task => task.IsCompleted);
                var (due, next) = _queue.Take(node.Clock.Now);
                node.Instruments.Waiting(endpoint.Id, _queue.Count);
                foreach (var delivery in due)
                    running.Add(Task.Run(() => DeliverAsync(delivery, holding), CancellationToken.None));
                if (_isLost)
                    throw _claim!.Lost();
                if (due.Count > 0 && next is null)
                    next = node.Clock.Now + node.Options.PollInterval;
                var delay = next is { } time ? time - node.Clock.Now : node.Options.PollInterval;
                // Rounded up: timers drop the part below 1 ms.
                var wait = TimeSpan.FromMilliseconds(Math.Max(Math.Ceiling(Math.Min(delay.TotalMilliseconds, int.MaxValue)), 1));
                await WakeSignal.WaitAsync(signal, wait, node.Clock.TimeProvider, holding);
            }
        }
        finally
        {
            node.Instruments.Waiting(endpoint.Id, null);
            await Task.WhenAll(running);
        }
    }

    private async Task DeliverAsync(WebhookDelivery delivery, CancellationToken holding)
    {
        WebhookDelivery? waiting = delivery with { At = node.Clock.Now + StoreDelay };
        try
        {
            var body = await node.Store.ReadAsync(
                (scope, ct) => WebhookScopes.TableOf(scope).FindPayloadAsync(endpoint.Id, delivery.Offset, ct),
                holding
            );
            waiting = body is null ? null : await AttemptAsync(delivery, body, holding);
        }
        catch (OperationCanceledException) when (holding.IsCancellationRequested)
        {
            // The next holder repeats the delivery.
        }
        catch (DunlinException error) when (error.Code == ErrorCode.LeaseLost)
        {
            _isLost = true;
        }
#pragma warning disable CA1031 // the store may be temporarily unavailable; the delivery is repeated
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogResultLost(error, endpoint.Id);
        }
        _queue.End(delivery, waiting);
        _changed.Set();
        _removed.Set();
    }

    /// <returns>The delivery with its next attempt; null if it is delivered or dead.</returns>
    private async Task<WebhookDelivery?> AttemptAsync(WebhookDelivery delivery, byte[] body, CancellationToken holding)
    {
        var result = await node.Sender.SendAsync(endpoint, delivery.Facts.MessageId, body, holding);
        // Not cancelled with the host: the result of an attempt that has ended is stored.
        var (waiting, isDisabled) = await node.Store.WriteAsync(
            (unit, ct) => SaveAsync(unit, delivery, result, ct),
            CancellationToken.None
        );
        node.Instruments.Delivered(
            endpoint.Id,
            result.Fault is null ? "delivered"
                : waiting is null ? "dead"
                : "failed"
        );
        if (isDisabled)
        {
            node.Instruments.Disabled();
            LogDisabled(endpoint.Id, new Uri(endpoint.Url).Authority, result.Fault);
            node.Changed.Set();
        }
        else if (waiting is not null)
            LogFailed(endpoint.Id, new Uri(endpoint.Url).Authority, result.Fault, delivery.Facts.Topic, waiting.At);
        else if (result.Fault is not null)
            LogDead(endpoint.Id, delivery.Facts.MessageId, result.Fault);
        return waiting;
    }

    private async ValueTask<(WebhookDelivery? Waiting, bool IsDisabled)> SaveAsync(
        IUnitOfWork unit,
        WebhookDelivery delivery,
        WebhookResult result,
        CancellationToken cancellationToken
    )
    {
        await _claim!.RenewAsync(unit, cancellationToken);
        var table = WebhookScopes.TableOf(unit);
        if (await table.FindAsync(endpoint.Id, cancellationToken) is not { } row)
            return (null, false); // removed meanwhile
        if (result.Fault is null)
        {
            await table.RemoveDeliveryAsync(delivery.Webhook, delivery.Offset, cancellationToken);
            if (row.FailingSince is not null)
                await table.SaveAsync(row with { FailingSince = null, Fault = null }, cancellationToken);
            return (null, false);
        }
        var changed = Failed(delivery, result, unit.Now);
        await table.UpdateDeliveryAsync(changed, cancellationToken);
        if (changed.State == WebhookDeliveryState.Dead)
            await WebhookNotices.AppendAsync(
                unit,
                WebhookNotices.Dead,
                new WebhookNotice(row.Id, $"{delivery.Facts.MessageId}: {result.Fault}"),
                cancellationToken
            );
        var isDisabled = await CheckHealthAsync(unit, row with { Fault = changed.Facts.Fault }, result, cancellationToken);
        return (changed.State == WebhookDeliveryState.Waiting ? changed : null, isDisabled);
    }

    private WebhookDelivery Failed(WebhookDelivery delivery, WebhookResult result, DateTimeOffset now)
    {
        var fault = result.Fault!.Length > MaxFault ? result.Fault[..MaxFault] : result.Fault;
        var facts = delivery.Facts with { Attempts = delivery.Facts.Attempts + 1, Fault = fault };
        // An endpoint that is gone keeps its delivery for a new URL.
        var delay = result.IsGone ? TimeSpan.Zero : node.Options.DelayAfter(facts.Attempts);
        return delay is not { } wait
            ? delivery with
            {
                State = WebhookDeliveryState.Dead,
                At = now,
                Facts = facts,
            }
            : delivery with
            {
                At = now + (result.RetryAfter > wait ? result.RetryAfter.Value : wait),
                Facts = facts,
            };
    }

    /// <summary>Disables an endpoint that is gone or has failed for too long.</summary>
    private async ValueTask<bool> CheckHealthAsync(
        IUnitOfWork unit,
        WebhookRow row,
        WebhookResult result,
        CancellationToken cancellationToken
    )
    {
        var since = row.FailingSince ?? unit.Now;
        row = row with { FailingSince = since };
        var isDisabled = row.State == WebhookState.Active && (result.IsGone || unit.Now - since >= node.Options.DisableAfter);
        if (isDisabled)
        {
            var reason = result.IsGone
                ? "The receiver answered 410 Gone."
                : $"All attempts since {since:u} failed. The last: {result.Fault}";
            row = row with { State = WebhookState.Disabled, Reason = reason, Version = row.Version + 1 };
            await WebhookNotices.AppendAsync(unit, WebhookNotices.Disabled, new WebhookNotice(row.Id, reason), cancellationToken);
        }
        await WebhookScopes.TableOf(unit).SaveAsync(row, cancellationToken);
        return isDisabled;
    }

    private WebhookDelivery DeliveryOf(DunlinEvent entry, DateTimeOffset now) =>
        new(endpoint.Id, entry.Position.Offset)
        {
            At = now,
            Facts = new WebhookFacts(WebhookFormat.IdOf(entry.Position), entry.Topic.Value, entry.Type),
            Payload = WebhookFormat.BodyOf(entry),
        };

    [LoggerMessage(
        2500,
        LogLevel.Warning,
        "The webhook '{Endpoint}' to {Host} failed: {Fault}. Topic {Topic} waits until {Next}. Correct the receiver."
    )]
    private partial void LogFailed(PeerText endpoint, PeerText host, PeerText fault, PeerText topic, DateTimeOffset next);

    [LoggerMessage(
        2501,
        LogLevel.Error,
        "The webhook '{Endpoint}' to {Host} is disabled: {Fault}. Correct the receiver, then resume it. Its deliveries wait in the store."
    )]
    private partial void LogDisabled(PeerText endpoint, PeerText host, PeerText fault);

    [LoggerMessage(
        2502,
        LogLevel.Error,
        "The webhook '{Endpoint}' gave up message {Message}: {Fault}. Correct the receiver, then redrive the message."
    )]
    private partial void LogDead(PeerText endpoint, PeerText message, PeerText fault);

    [LoggerMessage(2503, LogLevel.Warning, "The result of a webhook of '{Endpoint}' was not stored. The message is sent again.")]
    private partial void LogResultLost(Exception error, PeerText endpoint);
}
