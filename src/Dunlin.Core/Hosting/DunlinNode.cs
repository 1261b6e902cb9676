using Dunlin.Fanout;
using Dunlin.Leases;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Hosting;

/// <summary>Starts and stops a node.</summary>
/// <remarks>
/// Once the store is open, it starts the fan-out at the head of the journal and schedules the expiry of leases. It closes streams and
/// releases leases when access ends. When the host stops, it drains the streams while publishing still works.
/// </remarks>
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
        // Not in StopAsync: the web server stops first and would wait for its open responses.
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

    // Clients that still have access reconnect and are authorised again. The leases of the others expire.
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
        _ = Background.Run(async () =>
        {
            try
            {
                await task;
            }
#pragma warning disable CA1031 // background work: the error is logged, and the next change retries
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
        "Failed to {What}. Leases may be held until they expire. Streams whose rights could not be read are closed; their clients reconnect."
    )]
    private static partial void LogFailed(ILogger logger, Exception error, string what);
}
