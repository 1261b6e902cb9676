using System.Globalization;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Inspector;

/// <summary>Reads the query of a request.</summary>
internal static class QueryText
{
    private const int MaxLength = 200;

    /// <summary>Returns a parameter, or null if it is absent or empty.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: it is too long.</exception>
    public static string? Of(HttpContext context, string name)
    {
        var text = context.Request.Query[name].ToString();
        if (text.Length > MaxLength)
            throw new DunlinException(ErrorCode.InvalidField, $"'{name}' must have at most {MaxLength} characters.", name);
        return text.Length == 0 ? null : text;
    }

    /// <summary>Returns a whole number, or the default if the parameter is absent.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: it is no number, or out of range.</exception>
    public static int Number(HttpContext context, string name, int byDefault, int min, int max) =>
        (int)(Long(context, name, min, max) ?? byDefault);

    /// <summary>Returns a whole number, or null if the parameter is absent.</summary>
    public static long? Long(HttpContext context, string name, long min, long max)
    {
        if (Of(context, name) is not { } text)
            return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
            return number;
        throw new DunlinException(ErrorCode.InvalidField, $"'{name}' must be a whole number from {min} to {max}, not '{text}'.", name);
    }

    public static bool Matches(string? value, string? text) =>
        text is null || value?.Contains(text, StringComparison.OrdinalIgnoreCase) == true;
}
