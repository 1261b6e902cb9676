using Dunlin.Cluster;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Leases;

/// <summary>Releases leases of sessions whose connections are lost.</summary>
/// <remarks>
/// When the last connection of a session and device closes, a grace period starts. A new connection of the same session and device cancels
/// it. Otherwise the monitor releases their leases and announces it. If there is no device id, the single connection counts instead. A
/// lease of a page that never opened a stream ends by expiry only. If nodes share a store, the monitor first queries the other nodes: the
/// page may have reconnected to one of them, which then monitors it.
/// </remarks>
internal sealed partial class DisconnectMonitor : IHostedService
{
    private readonly Lock _gate = new(); // guards _holders
    private readonly Dictionary<Key, Entry> _holders = [];
    private readonly LeaseService _leases;
    private readonly TimerWheel _wheel;
    private readonly TimeSpan _grace;
    private readonly ILogger _logger;
    private readonly ClusterQuery? _questions;
    private readonly EventFanout _fanout;

    /// <summary>Creates the monitor. For the service container.</summary>
    public DisconnectMonitor(
        EventFanout fanout,
        LeaseService leases,
        TimerWheel wheel,
        IOptions<LeaseOptions> options,
        ILogger<DisconnectMonitor> logger,
        ClusterQuery? questions = null
    )
    {
        _questions = questions;
        _leases = leases;
        _wheel = wheel;
        _grace = options.Value.DisconnectGrace;
        _logger = logger;
        _fanout = fanout;
    }

    /// <summary>Subscribes to connection changes and starts to answer other nodes. Call before the first connection opens.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _questions?.Answer("holder", IsConnected, LeaseJson.Default.Key, LeaseJson.Default.Boolean);
        _fanout.Opened.Subscribe(OnOpened);
        _fanout.Closed.Subscribe(OnClosed);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void OnOpened(EventStreamConnection connection)
    {
        if (Key.Of(connection) is not { } key)
            return;
        lock (_gate)
        {
            if (!_holders.TryGetValue(key, out var entry))
                _holders.Add(key, entry = new Entry(this, key));
            entry.Connections++;
            _wheel.Cancel(entry);
        }
    }

    private void OnClosed(EventStreamConnection connection)
    {
        if (Key.Of(connection) is not { } key)
            return;
        lock (_gate)
        {
            if (_holders.TryGetValue(key, out var entry) && --entry.Connections == 0)
                _wheel.Schedule(entry, _grace);
        }
    }

    internal bool IsConnected(Key key)
    {
        lock (_gate)
            return _holders.TryGetValue(key, out var entry) && entry.Connections > 0;
    }

    private void OnGraceOver(Entry entry)
    {
        lock (_gate)
        {
            // A page that came back and left again, before this call began, has a grace period of its own.
            if (entry.Connections > 0 || _wheel.IsScheduled(entry) || !_holders.Remove(entry.Key))
                return;
        }
        _ = Background.Run(async () =>
        {
            try
            {
                if (_questions is not null && (await _questions.AnyAsync("holder", entry.Key, LeaseJson.Default.Key)).Value)
                    return;
                // The page may have reconnected to this node during the query.
                if (IsConnected(entry.Key))
                    return;
                await _leases.EndSessionAsync(entry.Key.SessionId, LeaseEnd.Disconnected, entry.Key.Covers);
            }
#pragma warning disable CA1031 // the expiry ends the leases later
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogReleaseFailed(_logger, error, entry.Key.SessionId);
            }
        });
    }

    [LoggerMessage(
        1110,
        LogLevel.Warning,
        "Releasing the leases of session {SessionId} after its disconnect failed. They are held until they expire."
    )]
    private static partial void LogReleaseFailed(ILogger logger, Exception error, PeerText sessionId);

    // The user is part of the key: other token issuers choose their own session ids, and two users may have the same one.
    internal sealed record Key(string UserId, string SessionId, string? DeviceId, string? ConnectionId)
    {
        public static Key? Of(EventStreamConnection connection) =>
            connection.Caller.SessionId is { } session
                ? new Key(
                    connection.Caller.UserId,
                    session,
                    connection.Caller.DeviceId,
                    connection.Caller.DeviceId is null ? connection.Id : null
                )
                : null;

        public bool Covers(LeaseOwner owner) =>
            string.Equals(owner.UserId, UserId, StringComparison.Ordinal)
            && (
                DeviceId is not null
                    ? string.Equals(owner.DeviceId, DeviceId, StringComparison.Ordinal)
                    : string.Equals(owner.ConnectionId, ConnectionId, StringComparison.Ordinal)
            );
    }

    private sealed class Entry(DisconnectMonitor monitor, Key key) : WheelEntry
    {
        public Key Key => key;

        public int Connections { get; set; }

        protected internal override void OnDue() => monitor.OnGraceOver(this);
    }
}
