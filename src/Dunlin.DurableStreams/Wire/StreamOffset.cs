using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.DurableStreams.Wire;

/// <summary>The text of an offset: the epoch of the journal and the offset, of 16 digits each, so that texts sort like offsets.</summary>
internal static class StreamOffset
{
    /// <summary>The text that means the beginning of a stream.</summary>
    public const string Start = "-1";

    /// <summary>The text that means the tail of a stream.</summary>
    public const string Now = "now";

    private const int Digits = 16;

    public static string Format(uint epoch, long offset) => string.Create(CultureInfo.InvariantCulture, $"{epoch:D16}_{offset:D16}");

    /// <summary>Reads an offset.</summary>
    /// <param name="text">The text.</param>
    /// <param name="head">The head of the journal, which has the current epoch.</param>
    /// <param name="name">The parameter or header.</param>
    /// <returns>The offset; -1 for the beginning.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the text is no offset.
    /// <see cref="StreamErrors.Gone"/>: it is of another epoch of the journal, such as before a restored backup.</exception>
    public static long Parse(string text, Position head, string name) =>
        Find(text, head, name)
        ?? throw new DunlinException(StreamErrors.Gone, "The offset belongs to another history of the journal.", name);

    /// <summary>Reads an offset as <see cref="Parse"/> does, and returns null if it is of another epoch.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the text is no offset.</exception>
    public static long? Find(string text, Position head, string name)
    {
        if (text == Start)
            return -1;
        if (
            text.Length != (2 * Digits) + 1
            || text[Digits] != '_'
            || text.AsSpan().ContainsAnyExcept("0123456789_") // the parser of numbers also accepts trailing NULs
            || !long.TryParse(text.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(text.AsSpan(Digits + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
        )
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"'{name}' is no offset. Use one that this server sent, '{Start}' for the beginning, or '{Now}' for the tail.",
                name
            );
        if (epoch == 0 && offset == 0)
            return -1;
        return epoch == head.Epoch ? offset : null;
    }
}
