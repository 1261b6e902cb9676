using System.Diagnostics;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Postgres.Backplane;

/// <summary>What a committing transaction tells the other nodes: the position that it reached and, where the commit is traced, a space and
/// its <c>traceparent</c> (W3C Trace Context). A node of a version without traces cannot read the longer form and asks for the head
/// instead.</summary>
internal static class CommitNotice
{
    /// <summary>Writes the notice of the commit whose span is current.</summary>
    public static string Write(Position position) =>
        DunlinActivities.CurrentCommit is { } commit
            ? $"{position} 00-{commit.TraceId.ToHexString()}-{commit.SpanId.ToHexString()}-01"
            : position.ToString();

    /// <summary>Reads a notice.</summary>
    /// <returns>False where the position cannot be read. A <c>traceparent</c> that cannot be read is left out.</returns>
    public static bool TryParse(string text, out Position position, out ActivityContext? commit)
    {
        commit = null;
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0 && ActivityContext.TryParse(text[(space + 1)..], traceState: null, isRemote: true, out var parsed))
            commit = parsed;
        return Position.TryParse(space < 0 ? text : text.AsSpan(0, space), out position);
    }
}
