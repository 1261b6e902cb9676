using Dunlin.Consumers;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Webhooks;

/// <summary>Runs a consumer group for each active endpoint, and follows the changes of endpoints. Runs on every node.
/// Thread-safe.</summary>
/// <remarks>A change of an endpoint has a new version. Each node stops the consumer of the old one and starts another.</remarks>
internal sealed class WebhookWorker : IHostedService
{
    public const string GroupPrefix = "webhooks/";

    private static readonly TimeSpan ForgetInterval = TimeSpan.FromHours(1);

    private readonly Dictionary<string, long> _running = new(StringComparer.Ordinal); // versions by id, used by the loop only
    private readonly WebhookNode _node;
    private readonly EventConsumerWorker _consumers;
    private readonly BackgroundLoop _loop;
    private DateTimeOffset _forgotten = DateTimeOffset.MinValue;

    public WebhookWorker(WebhookNode node, EventConsumerWorker consumers, BackgroundLoops loops)
    {
        (_node, _consumers) = (node, consumers);
        _loop = new BackgroundLoop("webhooks", RunAsync, node.Clock.TimeProvider, node.Logger, registry: loops);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _loop.StopAsync(cancellationToken);

    private async Task RunAsync(BackgroundLoop loop, CancellationToken stopping)
    {
        while (true)
        {
            // Before the read, so that a later change ends the wait.
            var changed = _node.Changed.Renew();
            var rows = await _node.Store.ReadAsync((scope, ct) => WebhookScopes.TableOf(scope).ListAsync(ct), stopping);
            await FollowAsync(rows, stopping);
            await ForgetAsync(stopping);
            loop.ReportSuccess();
            await WakeSignal.WaitAsync(changed, _node.Options.PollInterval, _node.Clock.TimeProvider, stopping);
        }
    }

    private async Task FollowAsync(IReadOnlyList<WebhookRow> rows, CancellationToken stopping)
    {
        var active = rows.Where(static row => row.State == WebhookState.Active).ToDictionary(static row => row.Id, StringComparer.Ordinal);
        foreach (var (id, version) in _running.ToList())
        {
            if (active.TryGetValue(id, out var row) && row.Version == version)
                continue;
            await _consumers.RemoveAsync(GroupPrefix + id, stopping);
            _running.Remove(id);
            if (rows.All(row => row.Id != id))
                await RemoveGroupAsync(id, stopping);
        }
        foreach (var row in active.Values)
        {
            if (_running.TryAdd(row.Id, row.Version))
                _consumers.Add(new ConsumerRegistration(GroupOf(row), new WebhookConsumer(row, _node)));
        }
    }

    /// <summary>Removes the group that the consumer of a removed endpoint has claimed again. One unit of work checks and removes, so a new
    /// endpoint with the same id keeps its cursor.</summary>
    private async ValueTask RemoveGroupAsync(string id, CancellationToken stopping) =>
        await _node.Store.WriteAsync(
            async (unit, ct) =>
            {
                if (await WebhookScopes.TableOf(unit).FindAsync(id, ct) is null)
                    await ConsumerClaim.TableOf(unit).RemoveAsync(GroupPrefix + id, ct);
            },
            stopping
        );

    private ConsumerGroup GroupOf(WebhookRow row)
    {
        var options = new EventConsumerOptions { ClaimDuration = _node.Options.ClaimDuration, PollInterval = _node.Options.PollInterval };
        foreach (var pattern in row.Patterns)
            options.Patterns.Add(pattern);
        return new ConsumerGroup(GroupPrefix + row.Id, options);
    }

    private async Task ForgetAsync(CancellationToken stopping)
    {
        var now = _node.Clock.Now;
        if (now - _forgotten < ForgetInterval)
            return;
        await _node.Store.WriteAsync(
            (unit, ct) => WebhookScopes.TableOf(unit).ForgetDeadAsync(unit.Now - _node.Options.DeadAge, ct),
            stopping
        );
        _forgotten = now;
    }
}
