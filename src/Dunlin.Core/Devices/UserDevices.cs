using Dunlin.Backplane;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

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
/// read without any policy. Counts are those of this node.
/// </remarks>
public sealed class UserDevices
{
    private readonly EventFanout _fanout;
    private readonly IJournal _journal;
    private readonly NodeQuestions? _questions;
    private readonly ChannelNames _channels;
    private static readonly ReadOnlyMemory<byte> HeartbeatFrame = ":\n\n"u8.ToArray();

    /// <summary>Made by the container.</summary>
    public UserDevices(EventFanout fanout, IJournal journal, IEnumerable<ChannelRule> channels, NodeQuestions? questions = null)
    {
        _fanout = fanout;
        _journal = journal;
        _channels = new ChannelNames(channels);
        _questions = questions;
    }

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
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/> naming the parameter; <see cref="ErrorCode.StoreUnavailable"/>.</exception>
    public ValueTask<Position> BroadcastAsync<T>(
        string userId, string channel, string type, T payload, string? sourceDeviceId = null, string? exceptDevice = null,
        CancellationToken cancellationToken = default) =>
        _journal.AppendAsync(Broadcast(userId, channel, type, payload, sourceDeviceId, exceptDevice), cancellationToken);

    /// <summary>Tells all devices of a user of a change in the transaction of that change: one does not happen without the other.</summary>
    /// <returns>The position that the event will have, which can be the version of the rows changed.</returns>
    public ValueTask<Position> BroadcastAsync<T>(
        IUnitOfWork unit, string userId, string channel, string type, T payload, string? sourceDeviceId = null, string? exceptDevice = null,
        CancellationToken cancellationToken = default) =>
        unit.AppendAsync(Broadcast(userId, channel, type, payload, sourceDeviceId, exceptDevice), cancellationToken);

    /// <summary>Tells one device, on all its connections. Kept for it while it is away.</summary>
    /// <returns>Whether the device is connected now, to this node or another; false means that it will hear when it resumes.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/> naming the parameter; <see cref="ErrorCode.StoreUnavailable"/>.</exception>
    public async ValueTask<bool> SendToDeviceAsync<T>(
        string userId, string deviceId, string channel, string type, T payload, string? sourceDeviceId = null, CancellationToken cancellationToken = default)
    {
        var draft = EventDraft.Of(TopicOf(userId, deviceId), _channels.EventType(channel, type), payload, Origin(userId, sourceDeviceId));
        await _journal.AppendAsync(draft, cancellationToken);
        return IsDeviceConnected(userId, deviceId) || (_questions is not null && await _questions.AnyAsync("device", TopicOf(userId, deviceId).Value));
    }

    /// <summary>Sends a heartbeat to one device at once, beside those that idle streams get by themselves.</summary>
    /// <returns>Whether the device is connected to this node.</returns>
    public bool SendHeartbeat(string userId, string deviceId)
    {
        var connections = Of(userId, TopicOf(userId, deviceId)).ToList();
        foreach (var connection in connections)
            connection.Send(HeartbeatFrame);
        return connections.Count > 0;
    }

    /// <summary>Open device streams of a user on this node.</summary>
    public int ConnectionCount(string userId) => Of(userId, TopicOf(userId)).Count();

    /// <summary>Whether any device of the user is connected to this node.</summary>
    public bool IsUserConnected(string userId) => Of(userId, TopicOf(userId)).Any();

    /// <summary>Whether this device of the user is connected to this node.</summary>
    public bool IsDeviceConnected(string userId, string deviceId) => Of(userId, TopicOf(userId, deviceId)).Any();

    private EventDraft Broadcast<T>(string userId, string channel, string type, T payload, string? sourceDeviceId, string? exceptDevice)
    {
        var eventType = _channels.EventType(channel, type);
        var (topic, origin) = (TopicOf(userId), Origin(userId, sourceDeviceId));
        return exceptDevice is null
            ? EventDraft.Of(topic, eventType, payload, origin)
            : EventDraft.Of(topic, DeviceFormat.ExceptMark + eventType, new Excepting<T>(DeviceId.Check(exceptDevice, "exceptDevice"), payload), origin);
    }

    private static EventOrigin Origin(string userId, string? deviceId) =>
        new(userId, DeviceId: deviceId is null ? null : DeviceId.Check(deviceId, "sourceDeviceId"));

    private IEnumerable<Connection> Of(string userId, TopicName topic) =>
        _fanout.OfUser(userId).Where(connection => connection.OpenedTopics.Contains(topic));

    /// <summary>The data of an event that one device is not to hear.</summary>
    private sealed record Excepting<T>(string ExceptDevice, T Payload);
}
