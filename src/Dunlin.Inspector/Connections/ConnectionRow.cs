using Dunlin.Fanout;
using Dunlin.Inspector.Cluster;

namespace Dunlin.Inspector.Connections;

/// <summary>An open or closed stream in a list. Immutable.</summary>
internal sealed record ConnectionRow
{
    /// <summary>The topics that a row shows. The detail shows all.</summary>
    private const int ShownTopics = 3;

    public required string Id { get; init; }

    public required string Node { get; init; }

    public required string UserId { get; init; }

    public required string Name { get; init; }

    public string? SessionId { get; init; }

    public string? Device { get; init; }

    public string? Address { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>Gets <c>catchingUp</c>, <c>live</c>, <c>lagging</c>, <c>closing</c> or <c>closed</c>.</summary>
    public required string State { get; init; }

    /// <summary>Gets the offset up to which events were sent.</summary>
    public long Offset { get; init; }

    public int PendingBytes { get; init; }

    public required IReadOnlyList<string> Topics { get; init; }

    public int TopicCount { get; init; }

    /// <summary>Gets the time of the end; null while the stream is open.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Gets the reason of the end, as in <c>dunlin.goodbye</c>.</summary>
    public string? Reason { get; init; }

    public static ConnectionRow Of(EventStreamConnection connection, NodeQueries nodes, bool withAllTopics = false)
    {
        IEnumerable<string> names = connection
            .Topics.Select(topic => topic.Value)
            .Concat(connection.Patterns.Select(pattern => pattern.Text));
        return new ConnectionRow
        {
            Id = connection.Id,
            Node = nodes.Name,
            UserId = connection.Caller.UserId,
            Name = connection.Caller.Name,
            SessionId = connection.Caller.SessionId,
            Device = connection.Caller.DeviceId,
            Address = connection.RemoteAddress,
            OpenedAt = connection.OpenedAt,
            State = StateText(connection.State),
            Offset = connection.LastSentOffset,
            PendingBytes = connection.PendingBytes,
            Topics = [.. withAllTopics ? names : names.Take(ShownTopics)],
            TopicCount = connection.Topics.Count + connection.Patterns.Count,
        };
    }

    public static ConnectionRow Of(ClosedConnection closed, NodeQueries nodes) =>
        Of(closed.Connection, nodes) with
        {
            State = "closed",
            ClosedAt = closed.ClosedAt,
            Reason = closed.Reason,
        };

    public static string StateText(EventStreamState state) =>
        state switch
        {
            EventStreamState.CatchingUp => "catchingUp",
            EventStreamState.Live => "live",
            EventStreamState.Lagging => "lagging",
            _ => "closing",
        };
}

/// <summary>Which streams to list.</summary>
/// <param name="Sort"><c>lag</c> or <c>opened</c>.</param>
/// <param name="Limit">The largest number of rows.</param>
/// <param name="Text">A part of the user, name, device, address, id or of a topic; null for all.</param>
/// <param name="State">The state; null for all that are open.</param>
internal sealed record ConnectionQuery(string Sort, int Limit, string? Text = null, string? State = null);

internal sealed record ConnectionList(
    IReadOnlyList<ConnectionRow> Connections,
    int Matching,
    int Total,
    long Head,
    IReadOnlyList<string> Silent
);

/// <summary>One stream with everything that the nodes know of it. Immutable.</summary>
internal sealed record ConnectionDetail
{
    public required ConnectionRow Connection { get; init; }

    public IReadOnlyList<string> OpenedTopics { get; init; } = [];

    public IReadOnlyList<string> Roles { get; init; } = [];

    public DateTimeOffset? ExpiresAt { get; init; }

    public bool Conflates { get; init; }

    public bool IsPresent { get; init; }

    public long Head { get; init; }

    public required IReadOnlyList<LifeEntry> Life { get; init; }
}

/// <summary>One line of the life of a stream: of the stream itself, or of the same user or device.</summary>
/// <param name="At">The time.</param>
/// <param name="Kind"><c>opened</c>, <c>closed</c>, <c>before</c>, <c>refused</c> or <c>lease</c>.</param>
/// <param name="Text">What happened.</param>
/// <param name="Id">The stream that the line is about; null if it is about none.</param>
internal sealed record LifeEntry(DateTimeOffset At, string Kind, string Text, string? Id = null);
