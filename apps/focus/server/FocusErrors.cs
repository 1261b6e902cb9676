using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus;

internal static class FocusErrors
{
    /// <summary>Contains the current state, so that the client can check whether the other change conflicts with its own.</summary>
    public static DunlinException Changed(long version, object current) =>
        new(ErrorCode.VersionMismatch)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["version"] = version, ["current"] = current },
        };
}
