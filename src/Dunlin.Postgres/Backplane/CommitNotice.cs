using System.Diagnostics;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Postgres.Backplane;

/// <summary>The payload of the notification of a committing transaction: its last position and, if the commit is traced, a space and a
/// <c>traceparent</c> (W3C Trace Context).</summary>
/// <remarks>Nodes of versions without traces cannot parse the longer form, and query the head instead.</remarks>
internal static class CommitNotice
{
    /// <summary>Returns the payload for the commit whose span is current.</summary>
    public static string Write(Position position) =>
        DunlinActivities.CurrentCommit is { } commit
            ? $"{position} 00-{commit.TraceId.ToHexString()}-{commit.SpanId.ToHexString()}-01"
            : position.ToString();

    /// <summary>Parses a payload.</summary>
    /// <returns>False if the position is invalid. An invalid <c>traceparent</c> is ignored.</returns>
    public static bool TryParse(string text, out Position position, out ActivityContext? commit)
    {
        commit = null;
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0 && ActivityContext.TryParse(text[(space + 1)..], traceState: null, isRemote: true, out var parsed))
            commit = parsed;
        return Position.TryParse(space < 0 ? text : text.AsSpan(0, space), out position);
    }
}
