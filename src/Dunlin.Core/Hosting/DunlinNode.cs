using Dunlin.Fanout;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Hosting;

/// <summary>
/// The life of one node: begins the fan-out at the journal's head and watches the leases once the store is open; ends
/// streams and leases when access ends; drains when the host stops, while publishing still works.
/// </summary>
internal sealed partial class DunlinNode(
    EventFanout fanout,
    LeaseService leases,
    AccessPolicies policies,
    AccessChanges changes,
    IHostApplicationLifetime lifetime,
    IOptions<HostingOptions> options,
    ILogger<DunlinNode> logger
) : IHostedService
{
    private readonly List<IDisposable> _subscriptions = [];
    private Task _drain = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        fanout.Begin();
        await leases.BeginAsync(cancellationToken);
        _subscriptions.Add(changes.OnSessionEnded(OnSessionEnded));
        _subscriptions.Add(changes.OnRightsChanged(OnRightsChanged));
        _subscriptions.Add(changes.OnEverythingChanged(OnEverythingChanged));
        // Not in StopAsync: the web server stops first and waits there for its open responses.
        _subscriptions.Add(lifetime.ApplicationStopping.Register(() => _drain = DrainAsync()));
        LogStarted(logger, fanout.DeliveredHead.ToString());
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        await _drain.WaitAsync(cancellationToken);
    }

    private void OnSessionEnded(EndedSession ended)
    {
        fanout.CloseSession(ended.UserId, ended.SessionId, ended.LastFrame);
        Follow(
            leases.EndSessionAsync(ended.SessionId, LeaseEnd.SignedOut, owner => owner.UserId == ended.UserId),
            "release the leases of an ended session"
        );
    }

    private void OnRightsChanged(string userId) =>
        Follow(
            fanout.ReauthorizeAsync(
                userId,
                (caller, topic) => policies.MayReadAsync(caller, topic),
                (caller, pattern) => policies.MayReadAllAsync(caller, pattern)
            ),
            "authorise open streams again"
        );

    // Whoever still has access comes back, and is judged afresh on the way; the leases of the others run out.
    private void OnEverythingChanged()
    {
        foreach (var connection in fanout.All())
            connection.Close(ConnectionEnd.TokenExpired);
    }

    private async Task DrainAsync()
    {
        try
        {
            await fanout.DrainAsync(options.Value.DrainWindow, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            LogDrainTimedOut(logger);
        }
    }

    private void Follow(Task task, string what) =>
        _ = Task.Run(async () =>
        {
            try
            {
                await task;
            }
#pragma warning disable CA1031 // background work: told of, and the next change tries again
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFailed(logger, error, what);
            }
        });

    [LoggerMessage(1200, LogLevel.Information, "The node started at position {Position}.")]
    private static partial void LogStarted(ILogger logger, string position);

    [LoggerMessage(
        1201,
        LogLevel.Warning,
        "Some streams did not close within HostingOptions.DrainWindow and are aborted. Their clients reconnect."
    )]
    private static partial void LogDrainTimedOut(ILogger logger);

    [LoggerMessage(
        1202,
        LogLevel.Error,
        "Failed to {What}. Leases may be held until they expire, and streams may keep old rights until they close."
    )]
    private static partial void LogFailed(ILogger logger, Exception error, string what);
}
