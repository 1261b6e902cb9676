using Dunlin.Diagnostics;

namespace Dunlin.Apps.Todos.Entries;

/// <summary>
/// Validates the position of an entry: a key of "fractional indexing", as the npm package <c>fractional-indexing</c> makes it.
/// Keys compare by code unit, and there is a key between any two. So concurrent moves converge, and a move changes one record.
/// </summary>
/// <remarks>A key is an integer part and a fraction in base 62. The first letter of the integer part gives its length: <c>a</c> to <c>z</c>
/// for 2 to 27 characters, <c>Z</c> down to <c>A</c> likewise for keys below zero.</remarks>
public static class OrderKey
{
    /// <summary>The maximum length of a key. About six moves to the same place add one character.</summary>
    public const int MaxLength = 200;

    /// <summary>Returns the key if it is valid. An invalid key would make every later move beside it fail.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the key is invalid.</exception>
    public static string Validate(string key) =>
        key.Length is >= 2 and <= MaxLength && IsKey(key)
            ? key
            : throw new DunlinException(ErrorCode.InvalidField, "'order' must be a key of fractional indexing, such as 'a0'.", "order");

    private static bool IsKey(string key)
    {
        var head = key[0];
        var integer =
            head is >= 'a' and <= 'z' ? head - 'a' + 2
            : head is >= 'A' and <= 'Z' ? 'Z' - head + 2
            : int.MaxValue;
        // A fraction that ends in zero leaves no room before it, and neither does the smallest integer.
        return key.Length >= integer
            && key.All(char.IsAsciiLetterOrDigit)
            && (key.Length == integer || key[^1] != '0')
            && key != "A" + new string('0', 26);
    }
}
