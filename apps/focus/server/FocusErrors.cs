using System.Globalization;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Focus;

internal static class FocusErrors
{
    public static DunlinException Changed(long version) => new(ErrorCode.VersionMismatch)
    {
        Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["version"] = version },
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
