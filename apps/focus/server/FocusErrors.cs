using System.Globalization;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Focus;

internal static class FocusErrors
{
    /// <summary>With what is there now, so that the client can tell whether its change is touched by the other at all.</summary>
    public static DunlinException Changed(long version, object current) => new(ErrorCode.VersionMismatch)
    {
        Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["version"] = version, ["current"] = current },
    };

    /// <summary>The version that a change expects; null where it expects none.</summary>
    public static long? IfMatch(HttpRequest request)
    {
        var text = request.Headers.IfMatch.ToString().Trim('"');
        if (text.Length == 0)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw new DunlinException(ErrorCode.InvalidField, "'If-Match' is a version in quotation marks.", "If-Match");
    }
}
