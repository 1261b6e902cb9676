using Dunlin.Cluster;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Devices;

/// <summary>
/// One user, many devices: says something on a channel to all devices of a user or to one of them, and tells which are
/// connected. A thin face over topics and connections: a device is registered by opening its stream and unregistered by the
/// stream's end, so there is nothing to call for either, and nothing that an old connection could take away from a new one.
/// What is said is durable: a device that was offline hears it when it resumes. Safe for concurrent use.
/// </summary>
/// <remarks>
/// A channel is the name of a feature (<c>timer</c>, <c>tasks</c>) at this edge only; inside, <c>channel:type</c> is the event type
/// and the topics are <c>users/{user}/devices</c> (all) and <c>users/{user}/devices/{device}</c> (one), which their owner may
/// read without any policy. What is told of connections is that of all nodes, with those named that have not answered.
/// </remarks>
public sealed class UserDevices : IHostedService
{
    private readonly EventFanout _fanout;
    private readonly IJournal _journal;
    private readonly ClusterQuery _questions;
    private readonly ChannelNames _channels;
    private const string Connected = "devices",
        Heartbeat = "devices.heartbeat";
    private static readonly ReadOnlyMemory<byte> HeartbeatFrame = ":\n\n"u8.ToArray();

    /// <summary>Made by the container.</summary>
    internal UserDevices(EventFanout fanout, IJournal journal, IEnumerable<ChannelRule> channels, ClusterQuery questions)
    {
        _fanout = fanout;
        _journal = journal;
        _channels = new ChannelNames(channels);
        _questions = questions;
    }

    /// <summary>Begins to answer other nodes.</summary>
    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        _questions.Answer<string, UserStreams>(Connected, Own);
        _questions.Answer<Device, bool>(Heartbeat, device => BeatHere(device.UserId, device.DeviceId));
        return Task.CompletedTask;
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The topic that all devices of a user read.</summary>
    public static TopicName TopicOf(string userId) => TopicName.Of("users", userId, "devices");

    /// <summary>The topic that one device of a user reads.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the device id is not one.</exception>
    public static TopicName TopicOf(string userId, string deviceId) => TopicName.Of("users", userId, "devices", DeviceId.Check(deviceId));

    /// <summary>Tells all devices of a user, the source's other tabs too.</summary>
    /// <param name="userId">Whose devices.</param>
    /// <param name="channel">A channel declared with <c>AddChannel</c>.</param>
    /// <param name="type">What happened; one of the channel's types.</param>
    /// <param name="payload">Becomes JSON in web style.</param>
    /// <param name="sourceDeviceId">The device that caused it; null where none did.</param>
    /// <param name="exceptDevice">The one device that is not to hear it, on replay neither. All tabs of a browser are one device:
    /// leave it null where the source's other tabs want to know.</param>
    /// <param name="cancellationToken">Abandons it if the commit has not begun.</param>
    /// <returns>The position of the event, after its commit.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/> naming the parameter; <see
    /// cref="ErrorCode.StoreUnavailable"/>.</exception>
    public ValueTask<Position> BroadcastAsync<T>(
        string userId,
        string channel,
        string type,
        T payload,
        string? sourceDeviceId = null,
        string? exceptDevice = null,
        CancellationToken cancellationToken = default
    ) => _journal.AppendAsync(Broadcast(userId, channel, type, payload, sourceDeviceId, exceptDevice), cancellationToken);

    /// <summary>Tells all devices of a user of a change in the transaction of that change: one does not happen without the other.</summary>
    /// <returns>The position that the event will have, which can be the version of the rows changed.</returns>
    public ValueTask<Position> BroadcastAsync<T>(
        IUnitOfWork unit,
        string userId,
        string channel,
        string type,
        T payload,
        string? sourceDeviceId = null,
        string? exceptDevice = null,
        CancellationToken cancellationToken = default
    ) => unit.AppendAsync(Broadcast(userId, channel, type, payload, sourceDeviceId, exceptDevice), cancellationToken);

    /// <summary>Tells one device, on all its connections. Kept for it while it is away.</summary>
    /// <returns>Whether the device is known to be connected now, to whatever node; false means that it will hear when it resumes.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/> naming the parameter; <see
    /// cref="ErrorCode.StoreUnavailable"/>.</exception>
    public async ValueTask<bool> SendToDeviceAsync<T>(
        string userId,
        string deviceId,
        string channel,
        string type,
        T payload,
        string? sourceDeviceId = null,
        CancellationToken cancellationToken = default
    )
    {
        var draft = EventDraft.Of(TopicOf(userId, deviceId), _channels.EventType(channel, type), payload, Origin(userId, sourceDeviceId));
        await _journal.AppendAsync(draft, cancellationToken);
        // Committed: what is left to find out must not look like a failure of the sending.
        return (await IsDeviceConnectedAsync(userId, deviceId, CancellationToken.None)).Value;
    }

    /// <summary>Sends a heartbeat to one device at once, beside those that idle streams get by themselves.</summary>
    /// <returns>Whether the device is connected, to whatever node.</returns>
    public async ValueTask<ClusterAnswer<bool>> SendHeartbeatAsync(
        string userId,
        string deviceId,
        CancellationToken cancellationToken = default
    )
    {
        var isHere = BeatHere(userId, deviceId);
        // All of them: a device may have tabs at several nodes.
        var others = await _questions.AskAsync<Device, bool>(Heartbeat, new Device(userId, deviceId), cancellationToken: cancellationToken);
        return new(isHere || others.Value.Contains(true), others.UnresponsiveNodes);
    }

    /// <summary>Open device streams of a user, on all nodes.</summary>
    public async ValueTask<ClusterAnswer<int>> ConnectionCountAsync(string userId, CancellationToken cancellationToken = default)
    {
        var others = await AskAsync(userId, null, cancellationToken);
        return new(Own(userId).Streams + others.Value.Sum(other => other.Streams), others.UnresponsiveNodes);
    }

    /// <summary>Whether any device of the user is connected, to whatever node.</summary>
    public async ValueTask<ClusterAnswer<bool>> IsUserConnectedAsync(string userId, CancellationToken cancellationToken = default)
    {
        if (Own(userId).Streams > 0)
            return new(true, 0);
        var others = await AskAsync(userId, static other => other.Streams > 0, cancellationToken);
        return new(others.Value.Any(other => other.Streams > 0), others.UnresponsiveNodes);
    }

    /// <summary>Whether this device of the user is connected, to whatever node.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the device id is not one.</exception>
    public async ValueTask<ClusterAnswer<bool>> IsDeviceConnectedAsync(
        string userId,
        string deviceId,
        CancellationToken cancellationToken = default
    )
    {
        DeviceId.Check(deviceId);
        if (Own(userId).Devices.Contains(deviceId))
            return new(true, 0);
        var others = await AskAsync(userId, other => other.Devices.Contains(deviceId), cancellationToken);
        return new(others.Value.Any(other => other.Devices.Contains(deviceId)), others.UnresponsiveNodes);
    }

    /// <summary>The ids of the user's devices that are connected, to whatever node.</summary>
    public async ValueTask<ClusterAnswer<IReadOnlySet<string>>> ConnectedDevicesAsync(
        string userId,
        CancellationToken cancellationToken = default
    )
    {
        var others = await AskAsync(userId, null, cancellationToken);
        return new(
            others.Value.SelectMany(other => other.Devices).Concat(Own(userId).Devices).ToHashSet(StringComparer.Ordinal),
            others.UnresponsiveNodes
        );
    }

    private EventDraft Broadcast<T>(string userId, string channel, string type, T payload, string? sourceDeviceId, string? exceptDevice)
    {
        var eventType = _channels.EventType(channel, type);
        var (topic, origin) = (TopicOf(userId), Origin(userId, sourceDeviceId));
        return exceptDevice is null
            ? EventDraft.Of(topic, eventType, payload, origin)
            : EventDraft.Of(
                topic,
                DeviceFormat.ExceptMark + eventType,
                new Excepting<T>(DeviceId.Check(exceptDevice, "exceptDevice"), payload),
                origin
            );
    }

    private static EventOrigin Origin(string userId, string? deviceId) =>
        new(userId, DeviceId: deviceId is null ? null : DeviceId.Check(deviceId, "sourceDeviceId"));

    private Task<ClusterAnswer<IReadOnlyList<UserStreams>>> AskAsync(
        string userId,
        Func<UserStreams, bool>? isEnough,
        CancellationToken cancellationToken
    ) => _questions.AskAsync(Connected, userId, isEnough, cancellationToken);

    private UserStreams Own(string userId)
    {
        var all = TopicOf(userId);
        var (streams, devices) = (0, new HashSet<string>(StringComparer.Ordinal));
        foreach (var topic in _fanout.OfUser(userId).SelectMany(connection => connection.OpenedTopics))
        {
            if (topic == all)
                streams++;
            else if (topic.IsUnder(all.Value))
                devices.Add(topic.Value[(all.Value.Length + 1)..]);
        }
        return new UserStreams(streams, devices);
    }

    private bool BeatHere(string userId, string deviceId)
    {
        var topic = TopicOf(userId, deviceId);
        var connections = _fanout.OfUser(userId).Where(connection => connection.OpenedTopics.Contains(topic)).ToList();
        foreach (var connection in connections)
            connection.Send(HeartbeatFrame);
        return connections.Count > 0;
    }

    private sealed record Device(string UserId, string DeviceId);

    private sealed record UserStreams(int Streams, HashSet<string> Devices);

    /// <summary>The data of an event that one device is not to hear.</summary>
    private sealed record Excepting<T>(string ExceptDevice, T Payload);
}
