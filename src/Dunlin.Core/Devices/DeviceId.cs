using Dunlin.Diagnostics;

namespace Dunlin.Devices;

/// <summary>The id that a browser or device gives itself: 1 to 64 letters, digits and <c>._-</c>. It says where a user sits and
/// never who the user is.</summary>
public static class DeviceId
{
    /// <summary>The longest id, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>Whether a text is a device id.</summary>
    public static bool IsValid(string? text) => text is { Length: >= 1 and <= MaxLength } && text.All(Allows);

    /// <summary>Returns the id.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, naming <paramref name="field"/>.</exception>
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
