using System.Text.Json;

namespace Dunlin.Fanout;

/// <summary>A connection that has closed. Immutable.</summary>
/// <param name="Connection">The connection. It no longer receives events.</param>
/// <param name="Reason">The reason, as in the frame <c>dunlin.goodbye</c>: <c>gone</c>, <c>draining</c>, <c>tokenExpired</c>,
/// <c>signedOut</c>, <c>revoked</c> or <c>failed</c>; or <c>answered</c> for a long poll.</param>
/// <param name="ClosedAt">The time of the close (UTC).</param>
public sealed record ClosedConnection(EventStreamConnection Connection, string Reason, DateTimeOffset ClosedAt)
{
    // The signal is published after the completion, so the result is there.
    internal static ClosedConnection Of(EventStreamConnection connection, DateTimeOffset at) =>
        new(connection, JsonNamingPolicy.CamelCase.ConvertName(connection.Completion.Result.ToString()), at);
}
