using Dunlin.Diagnostics;

namespace Dunlin.Devices;

/// <summary>Validates device ids: 1 to 64 letters, digits and <c>._-</c>, chosen by the browser or device.</summary>
/// <remarks>A device id identifies a device of a user. It never identifies or authenticates the user.</remarks>
public static class DeviceId
{
    /// <summary>The maximum length of an id in characters: 64.</summary>
    public const int MaxLength = 64;

    /// <summary>Returns whether a text is a valid device id.</summary>
    /// <param name="text">The text.</param>
    public static bool IsValid(string? text) => text is { Length: >= 1 and <= MaxLength } && text.All(Allows);

    /// <summary>Validates a device id and returns it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="field">The name of the field, for the error.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the text is not a valid device id; the error names
    /// <paramref name="field"/>.</exception>
    public static string Check(string? text, string field = "deviceId") =>
        IsValid(text)
            ? text!
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'{field}' must be one id of 1 to {MaxLength} letters, digits and ._-",
                field
            );

    private static bool Allows(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-';
}
