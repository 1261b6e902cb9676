using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Cluster;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Devices;

/// <summary>Sends events to all devices or one device of a user, and reports which devices are connected. Thread-safe.</summary>
/// <remarks>
/// A device is connected while its stream is open; there is nothing to register. Events are durable: a device that was offline receives
/// them when it resumes.
/// <para>
/// Channels (<c>timer</c>, <c>tasks</c>) exist at this interface only: internally, <c>channel:type</c> is the event type. The topics are
/// <c>users/{user}/devices</c> (all devices) and <c>users/{user}/devices/{device}</c> (one device). Their user may read them without an
/// access policy.
/// </para>
/// <para>Connection states and counts are cluster-wide and report the number of unresponsive nodes.</para>
/// </remarks>
/// <example>
/// <code>
/// var position = await devices.BroadcastAsync(userId, "timer", "started", new { seconds = 60 });
/// </code>
/// </example>
public sealed class UserDevices : IHostedService
{
    private readonly EventFanout _fanout;
    private readonly IJournal _journal;
    private readonly ClusterQuery _questions;
    private readonly ChannelNames _channels;
    private const string Connected = "devices",
        Heartbeat = "devices.heartbeat";
    private static readonly ReadOnlyMemory<byte> HeartbeatFrame = ":\n\n"u8.ToArray();

    /// <summary>Creates the service. For the service container.</summary>
    /// <param name="fanout">The fan-out with the connections of this node.</param>
    /// <param name="journal">The journal.</param>
    /// <param name="channels">The declared channels.</param>
    /// <param name="questions">Queries the other nodes.</param>
    internal UserDevices(EventFanout fanout, IJournal journal, IEnumerable<ChannelRule> channels, ClusterQuery questions)
    {
        _fanout = fanout;
        _journal = journal;
        _channels = new ChannelNames(channels);
        _questions = questions;
    }

    /// <summary>Starts to answer other nodes.</summary>
    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        _questions.Answer(Connected, Own, DeviceJson.Default.String, DeviceJson.Default.UserStreams);
        _questions.Answer(
            Heartbeat,
            device => BeatHere(device.UserId, device.DeviceId),
            DeviceJson.Default.Device,
            DeviceJson.Default.Boolean
        );
        return Task.CompletedTask;
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns the topic that all devices of a user read.</summary>
    /// <param name="userId">The user.</param>
    public static TopicName TopicOf(string userId) => TopicName.Of("users", userId, "devices");

    /// <summary>Returns the topic that one device of a user reads.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="deviceId">The device.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the device id is not valid.</exception>
    public static TopicName TopicOf(string userId, string deviceId) => TopicName.Of("users", userId, "devices", DeviceId.Check(deviceId));

    /// <summary>Sends an event to all devices of a user, including the source device.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="userId">The user.</param>
    /// <param name="channel">A channel declared with <c>AddChannel</c>.</param>
    /// <param name="type">One of the channel's types.</param>
    /// <param name="payload">The payload, serialised as JSON in camelCase.</param>
    /// <param name="sourceDeviceId">The device that caused the event; null if there is none.</param>
    /// <param name="exceptDevice">A device to exclude, also on replay; null for none. All tabs of a browser are one device, so exclude it
    /// only if its other tabs need no event.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>The position of the event, after its commit.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an argument is not valid; the error names it.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was sent.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public ValueTask<Position> BroadcastAsync<T>(
        string userId,
        string channel,
        string type,
        T payload,
        string? sourceDeviceId = null,
        string? exceptDevice = null,
        CancellationToken cancellationToken = default
    ) => BroadcastAsync(userId, channel, type, payload, JsonContracts.ByReflection<T>(), sourceDeviceId, exceptDevice, cancellationToken);

    /// <summary>Sends an event to all devices of a user, serialised by the application's own contract.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="userId">The user.</param>
    /// <param name="channel">A channel declared with <c>AddChannel</c>.</param>
    /// <param name="type">One of the channel's types.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="json">The contract that serialises the payload, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="sourceDeviceId">The device that caused the event; null if there is none.</param>
    /// <param name="exceptDevice">A device to exclude, also on replay; null for none.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>The position of the event, after its commit.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an argument is not valid; the error names it.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was sent.</exception>
    public ValueTask<Position> BroadcastAsync<T>(
        string userId,
        string channel,
        string type,
        T payload,
        JsonTypeInfo<T> json,
        string? sourceDeviceId = null,
        string? exceptDevice = null,
        CancellationToken cancellationToken = default
    ) => _journal.AppendAsync(Broadcast(userId, channel, type, payload, json, sourceDeviceId, exceptDevice), cancellationToken);

    /// <summary>Sends an event to all devices of a user in a unit of work: the event is sent if and only if the unit commits.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="unit">The unit of work.</param>
    /// <param name="userId">The user.</param>
    /// <param name="channel">A channel declared with <c>AddChannel</c>.</param>
    /// <param name="type">One of the channel's types.</param>
    /// <param name="payload">The payload, serialised as JSON in camelCase.</param>
    /// <param name="sourceDeviceId">The device that caused the event; null if there is none.</param>
    /// <param name="exceptDevice">A device to exclude, also on replay; null for none.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The position that the event has once the unit commits. It can serve as the version of the changed rows.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an argument is not valid; the error names it.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public ValueTask<Position> BroadcastAsync<T>(
        IUnitOfWork unit,
        string userId,
        string channel,
        string type,
        T payload,
        string? sourceDeviceId = null,
        string? exceptDevice = null,
        CancellationToken cancellationToken = default
    ) =>
        BroadcastAsync(
            unit,
            userId,
            channel,
            type,
            payload,
            JsonContracts.ByReflection<T>(),
            sourceDeviceId,
            exceptDevice,
            cancellationToken
        );

    /// <summary>Sends an event to all devices of a user in a unit of work, serialised by the application's own contract.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="unit">The unit of work.</param>
    /// <param name="userId">The user.</param>
    /// <param name="channel">A channel declared with <c>AddChannel</c>.</param>
    /// <param name="type">One of the channel's types.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="json">The contract that serialises the payload, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="sourceDeviceId">The device that caused the event; null if there is none.</param>
    /// <param name="exceptDevice">A device to exclude, also on replay; null for none.</param>
    /// <param name="cancellationToken">Cancels the request. The unit of work must then fail.</param>
    /// <returns>The position that the event has once the unit commits.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an argument is not valid; the error names it.</exception>
    public ValueTask<Position> BroadcastAsync<T>(
        IUnitOfWork unit,
        string userId,
        string channel,
        string type,
        T payload,
        JsonTypeInfo<T> json,
        string? sourceDeviceId = null,
        string? exceptDevice = null,
        CancellationToken cancellationToken = default
    ) => unit.AppendAsync(Broadcast(userId, channel, type, payload, json, sourceDeviceId, exceptDevice), cancellationToken);

    /// <summary>Sends an event to one device, on all its connections. A device that is offline receives it when it resumes.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="userId">The user.</param>
    /// <param name="deviceId">The device.</param>
    /// <param name="channel">A channel declared with <c>AddChannel</c>.</param>
    /// <param name="type">One of the channel's types.</param>
    /// <param name="payload">The payload, serialised as JSON in camelCase.</param>
    /// <param name="sourceDeviceId">The device that caused the event; null if there is none.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>Whether the device is known to be connected to any node.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an argument is not valid; the error names it.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was sent.</exception>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public ValueTask<bool> SendToDeviceAsync<T>(
        string userId,
        string deviceId,
        string channel,
        string type,
        T payload,
        string? sourceDeviceId = null,
        CancellationToken cancellationToken = default
    ) => SendToDeviceAsync(userId, deviceId, channel, type, payload, JsonContracts.ByReflection<T>(), sourceDeviceId, cancellationToken);

    /// <summary>Sends an event to one device, on all its connections, serialised by the application's own contract.</summary>
    /// <typeparam name="T">The type of the payload.</typeparam>
    /// <param name="userId">The user.</param>
    /// <param name="deviceId">The device.</param>
    /// <param name="channel">A channel declared with <c>AddChannel</c>.</param>
    /// <param name="type">One of the channel's types.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="json">The contract that serialises the payload, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="sourceDeviceId">The device that caused the event; null if there is none.</param>
    /// <param name="cancellationToken">Abandons the request if its commit has not begun.</param>
    /// <returns>Whether the device is known to be connected to any node.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an argument is not valid; the error names it.
    /// <see cref="ErrorCode.StoreUnavailable"/>: nothing was sent.</exception>
    public async ValueTask<bool> SendToDeviceAsync<T>(
        string userId,
        string deviceId,
        string channel,
        string type,
        T payload,
        JsonTypeInfo<T> json,
        string? sourceDeviceId = null,
        CancellationToken cancellationToken = default
    )
    {
        var origin = Origin(userId, sourceDeviceId);
        var draft = EventDraft.Of(TopicOf(userId, deviceId), _channels.EventType(channel, type), payload, json, origin);
        await _journal.AppendAsync(draft, cancellationToken);
        // The event is committed: cancelling the query must not look like a failure to send.
        return (await IsDeviceConnectedAsync(userId, deviceId, CancellationToken.None)).Value;
    }

    /// <summary>Sends a heartbeat to one device at once, in addition to the heartbeats of idle streams.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="deviceId">The device.</param>
    /// <param name="cancellationToken">Stops waiting for other nodes.</param>
    /// <returns>Whether the device is connected to any node.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the device id is not valid.</exception>
    public async ValueTask<ClusterAnswer<bool>> SendHeartbeatAsync(
        string userId,
        string deviceId,
        CancellationToken cancellationToken = default
    )
    {
        var isHere = BeatHere(userId, deviceId);
        // Query all nodes: a device may have tabs on several nodes.
        var others = await _questions.AskAsync(
            Heartbeat,
            new Device(userId, deviceId),
            DeviceJson.Default.Device,
            DeviceJson.Default.Boolean,
            cancellationToken: cancellationToken
        );
        return new(isHere || others.Value.Contains(true), others.UnresponsiveNodes);
    }

    /// <summary>Counts the open device streams of a user on all nodes.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Stops waiting for other nodes.</param>
    public async ValueTask<ClusterAnswer<int>> ConnectionCountAsync(string userId, CancellationToken cancellationToken = default)
    {
        var others = await AskAsync(userId, null, cancellationToken);
        return new(Own(userId).Streams + others.Value.Sum(other => other.Streams), others.UnresponsiveNodes);
    }

    /// <summary>Returns whether any device of the user is connected to any node.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Stops waiting for other nodes.</param>
    public async ValueTask<ClusterAnswer<bool>> IsUserConnectedAsync(string userId, CancellationToken cancellationToken = default)
    {
        if (Own(userId).Streams > 0)
            return new(true, 0);
        var others = await AskAsync(userId, static other => other.Streams > 0, cancellationToken);
        return new(others.Value.Any(other => other.Streams > 0), others.UnresponsiveNodes);
    }

    /// <summary>Returns whether a device of the user is connected to any node.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="deviceId">The device.</param>
    /// <param name="cancellationToken">Stops waiting for other nodes.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the device id is not valid.</exception>
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

    /// <summary>Returns the ids of the user's devices that are connected to any node.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Stops waiting for other nodes.</param>
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

    private EventDraft Broadcast<T>(
        string userId,
        string channel,
        string type,
        T payload,
        JsonTypeInfo<T> json,
        string? sourceDeviceId,
        string? exceptDevice
    )
    {
        var eventType = _channels.EventType(channel, type);
        var (topic, origin) = (TopicOf(userId), Origin(userId, sourceDeviceId));
        return exceptDevice is null
            ? EventDraft.Of(topic, eventType, payload, json, origin)
            : EventDraft.Of(
                topic,
                DeviceFormat.ExceptMark + eventType,
                new Excepting(DeviceId.Check(exceptDevice, "exceptDevice"), JsonSerializer.SerializeToElement(payload, json)),
                DeviceJson.Default.Excepting,
                origin
            );
    }

    private static EventOrigin Origin(string userId, string? deviceId) =>
        new(userId, DeviceId: deviceId is null ? null : DeviceId.Check(deviceId, "sourceDeviceId"));

    private Task<ClusterAnswer<IReadOnlyList<UserStreams>>> AskAsync(
        string userId,
        Func<UserStreams, bool>? isEnough,
        CancellationToken cancellationToken
    ) => _questions.AskAsync(Connected, userId, DeviceJson.Default.String, DeviceJson.Default.UserStreams, isEnough, cancellationToken);

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

    internal sealed record Device(string UserId, string DeviceId);

    internal sealed record UserStreams(int Streams, HashSet<string> Devices);

    /// <summary>The data of an event that excludes one device.</summary>
    internal sealed record Excepting(string ExceptDevice, JsonElement Payload);
}
