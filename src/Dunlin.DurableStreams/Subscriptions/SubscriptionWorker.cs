using System.Net.Http.Headers;
using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Hosting;
using Dunlin.Journal;
using Dunlin.Outbound;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>Scans the journal for subscriptions, wakes workers and sends webhooks. Runs on every node. Thread-safe.</summary>
/// <remarks>
/// The node that commits an append acts at once. All nodes look at the store every <see cref="PollInterval"/>, so another one takes over
/// when a node is killed. A unit of work takes each delivery, so one node at a time sends it.
/// </remarks>
internal sealed partial class SubscriptionWorker : IHostedService, IDisposable
{
    /// <summary>The maximum number of webhooks that a node sends at the same time: 16.</summary>
    public const int MaxDeliveries = 16;

    /// <summary>The maximum number of webhooks of one user that a node sends at the same time: 8.</summary>
    public const int MaxDeliveriesOfUser = 8;

    /// <summary>The interval at which a node looks at the store: 2 seconds.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    /// <summary>The time after the limit of a delivery at which another node repeats it: 3 seconds, for the write of its result.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new(); // guards _created, _hasAny and _running
    private readonly Dictionary<Task, string> _running = []; // with the owners
    private readonly IStore _store;
    private readonly IJournal _journal;
    private readonly StoreClock _clock;
    private readonly OutboundSender _sender;
    private readonly WebhookKeys _keys;
    private readonly DurableStreamOptions _options;
    private readonly SubscriptionInstruments _instruments;
    private readonly ILogger _logger;
    private readonly StreamSubscriptionScan _scan;
    private readonly BackgroundLoop _loop;
    private readonly IDisposable _commits;
    private readonly WakeSignal _signal = new();
    private int _created;
    private bool _hasAny;

    public SubscriptionWorker(
        IStore store,
        IJournal journal,
        CommitFeed feed,
        StoreClock clock,
        OutboundSender sender,
        WebhookKeys keys,
        IOptions<DurableStreamOptions> options,
        SubscriptionInstruments instruments,
        BackgroundLoops loops,
        ILogger<SubscriptionWorker> logger
    )
    {
        (_store, _journal, _clock, _sender, _keys) = (store, journal, clock, sender, keys);
        (_options, _instruments, _logger) = (options.Value, instruments, logger);
        _scan = new StreamSubscriptionScan(store, journal, _options.TopicPrefix);
        _loop = new BackgroundLoop("subscriptions of streams", RunAsync, clock.TimeProvider, logger, registry: loops);
        _commits = feed.Committed.Subscribe(OnCommitted);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _loop.StopAsync(cancellationToken);
        Task[] running;
        lock (_gate)
            running = [.. _running.Keys];
        await Task.WhenAll(running).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _commits.Dispose();

    /// <summary>Looks at the store at once. Call it after a subscription was created or changed.</summary>
    public void Wake()
    {
        lock (_gate)
            (_created, _hasAny) = (_created + 1, true);
        Signal();
    }

    /// <summary>Scans through the head of the store, so that a request sees all appends before it.</summary>
    public async ValueTask CatchUpAsync(CancellationToken cancellationToken)
    {
        await _journal.ReadHeadAsync(cancellationToken);
        await _scan.RunAsync(cancellationToken);
    }

    private void OnCommitted(IReadOnlyList<DunlinEvent> events)
    {
        if (!Volatile.Read(ref _hasAny))
            return;
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Type is StreamEvents.EventType or StreamEvents.EndedType)
            {
                Signal();
                return;
            }
        }
    }

    private async Task RunAsync(BackgroundLoop loop, CancellationToken stopping)
    {
        while (true)
        {
            // Replaced before the scan, so that a later commit ends the wait.
            var signal = _signal.Renew();
            var created = Volatile.Read(ref _created);
            bool hasAny;
            try
            {
                hasAny = await _scan.RunAsync(stopping);
            }
            catch (NotSupportedException)
            {
                return; // the store has no streams
            }
            lock (_gate)
                _hasAny = hasAny || created != _created;
            var delay = hasAny ? await DeliverAsync(stopping) : PollInterval;
            loop.ReportSuccess();
            await WakeSignal.WaitAsync(signal, delay, _clock.TimeProvider, stopping);
        }
    }

    /// <returns>The time after which to look again.</returns>
    private async Task<TimeSpan> DeliverAsync(CancellationToken stopping)
    {
        while (true)
        {
            var (due, now) = await _store.ReadAsync(
                static async (scope, ct) => (await UnitStreamSubscriptions.TableOf(scope).FindNextDueAsync(ct), scope.Now),
                stopping
            );
            if (due is not { } next || next - now >= PollInterval)
                return PollInterval;
            // Rounded up: timers drop the part below 1 ms. The loop would wake early and then spin, because a wait of zero never yields.
            if (next > now)
                return TimeSpan.FromMilliseconds(Math.Ceiling((next - now).TotalMilliseconds));
            string[] running;
            lock (_gate)
                running = [.. _running.Values];
            var (deliveries, isFull) = await _store.WriteAsync(
                async (unit, ct) =>
                {
                    // The store may run this function again, so it begins with new slots.
                    var slots = new StreamDeliverySlots(MaxDeliveries - running.Length, MaxDeliveriesOfUser, running);
                    var taken = await new UnitStreamSubscriptions(unit).TakeDueAsync(
                        slots,
                        _options.WebhookTimeout + Grace,
                        _options.DisableWebhooksAfter,
                        ct
                    );
                    return (taken, slots.HasRefused);
                },
                stopping
            );
            foreach (var delivery in deliveries)
                Start(delivery, stopping);
            if (isFull)
                return PollInterval; // the end of a delivery wakes the loop
        }
    }

    private void Start(StreamDelivery delivery, CancellationToken stopping)
    {
        lock (_gate)
        {
            var task = Task.Run(() => DeliverAsync(delivery, stopping), CancellationToken.None);
            _running.Add(task, delivery.Row.Owner);
            _ = task.ContinueWith(
                ended =>
                {
                    lock (_gate)
                        _running.Remove(ended);
                    Signal();
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private async Task DeliverAsync(StreamDelivery delivery, CancellationToken stopping)
    {
        var (outcome, fault) = (StreamDeliveryOutcome.Returned, (string?)null);
        try
        {
            (outcome, fault) = await SendAsync(delivery, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Another node, or the next start, repeats the delivery at once.
        }
#pragma warning disable CA1031 // any fault of one delivery is that of its receiver
        catch (Exception exception)
#pragma warning restore CA1031
        {
            (outcome, fault) = (StreamDeliveryOutcome.Failed, exception.Message);
        }
        _instruments.Delivered(NameOf(outcome));
        try
        {
            var row = await _store.WriteAsync(
                (unit, ct) => new UnitStreamSubscriptions(unit).CompleteAsync(delivery.Row, outcome, _options.DisableWebhooksAfter, ct),
                CancellationToken.None
            );
            if (row is { Status: StreamSubscriptionStatus.Disabled })
            {
                _instruments.Disabled();
                LogDisabled(row.Id, HostOf(row), fault);
            }
            else if (row is not null && fault is not null)
                LogFailed(row.Id, HostOf(row), fault, row.DueAt);
        }
#pragma warning disable CA1031 // the store may be temporarily unavailable; the delivery is due again after its time
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogResultLost(exception, delivery.Row.Id);
        }
    }

    private async Task<(StreamDeliveryOutcome Outcome, string? Fault)> SendAsync(StreamDelivery delivery, CancellationToken stopping)
    {
        var row = delivery.Row;
        var epoch = _journal.Head.Epoch;
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new WakeNotification(
                row.Id,
                row.WakeId!,
                row.Generation,
                [.. delivery.Links.Select(link => StreamEntry.OfWake(row, link, epoch))],
                $"{row.Root}/__ds/subscriptions/{Uri.EscapeDataString(row.Id)}/callback",
                _keys.TokenOf(row)
            ),
            SubscriptionWire.Default.WakeNotification
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, row.WebhookUrl) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("Webhook-Signature", _keys.Sign(body, _clock.Now));
        var result = await _sender.SendAsync(request, _options.WebhookTimeout, stopping);
        if (result.IsSuccess)
            return (IsDone(result.Body) ? StreamDeliveryOutcome.Done : StreamDeliveryOutcome.Accepted, null);
        var fault = result.Fault ?? $"status {result.Status}";
        return (result.Status == 410 ? StreamDeliveryOutcome.Gone : StreamDeliveryOutcome.Failed, fault);
    }

    private static bool IsDone(ReadOnlyMemory<byte> body)
    {
        try
        {
            return body.Length > 0 && JsonSerializer.Deserialize(body.Span, SubscriptionWire.Default.WebhookReply)?.Done == true;
        }
        catch (JsonException)
        {
            return false; // an answer without the field, such as a page, only confirms the receipt
        }
    }

    private static string NameOf(StreamDeliveryOutcome outcome) =>
        outcome switch
        {
            StreamDeliveryOutcome.Done => "done",
            StreamDeliveryOutcome.Accepted => "accepted",
            StreamDeliveryOutcome.Returned => "returned",
            _ => "failed",
        };

    // The rest of a URL often has a secret, and logs are no place for it.
    private static PeerText HostOf(StreamSubscription row) => new(new Uri(row.WebhookUrl!).Authority);

    private void Signal() => _signal.Set();

    [LoggerMessage(
        9000,
        LogLevel.Warning,
        "The webhook of subscription '{Id}' to {Host} failed: {Fault}. The next attempt is at {Next}. Correct the receiver."
    )]
    private partial void LogFailed(PeerText id, PeerText host, PeerText fault, DateTimeOffset? next);

    [LoggerMessage(
        9001,
        LogLevel.Error,
        "Subscription '{Id}' is disabled: its webhook to {Host} failed for too long ({Fault}). Confirm it with PUT to start it again."
    )]
    private partial void LogDisabled(PeerText id, PeerText host, PeerText fault);

    [LoggerMessage(9002, LogLevel.Warning, "The result of a webhook of subscription '{Id}' was not stored. The webhook is sent again.")]
    private partial void LogResultLost(Exception exception, PeerText id);
}
