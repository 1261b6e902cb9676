using System.Security.Cryptography;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Focus;

/// <summary>Validates texts and ids of requests.</summary>
internal static class WireText
{
    private const int MaxIdLength = 64;

    /// <summary>Validates a title: visible text on one line.</summary>
    public static string Title(string? text, string field, int max = 200)
    {
        var trimmed = (text ?? "").Trim();
        if (trimmed.Length == 0)
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must not be empty.", field);
        if (trimmed.Any(char.IsControl))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must be one line without control characters.", field);
        return Bounded(trimmed, field, max);
    }

    public static string Notes(string? text, string field = "notes", int max = 4_000)
    {
        if ((text ?? "").Contains('\0', StringComparison.Ordinal))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must not contain NUL.", field);
        return Bounded(text ?? "", field, max);
    }

    /// <summary>Returns the client's id, which identifies a repeated request, or a new random one.</summary>
    public static string IdOrNew(string? id, string field) =>
        id is null ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12)) : Id(id, field);

    public static string Id(string? id, string field) =>
        id is { Length: >= 1 and <= MaxIdLength } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? id
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'{field}' must be an id of 1 to {MaxIdLength} letters, digits, _ and -",
                field
            );

    private static string Bounded(string text, string field, int max) =>
        text.Length <= max
            ? text
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must have at most {max} characters, not {text.Length}.", field);
}
