using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus;

internal static class FocusErrors
{
    /// <summary>With what is there now, so that the client can tell whether its change is touched by the other at all.</summary>
    public static DunlinException Changed(long version, object current) =>
        new(ErrorCode.VersionMismatch)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["version"] = version, ["current"] = current },
        };
}
