using Dunlin.Devices;
using Dunlin.Diagnostics;

namespace Dunlin.Streams.Combined;

/// <summary>One stream that a combined response is to carry.</summary>
/// <param name="Id">Chosen by the client; unique among the open streams of the response.</param>
/// <param name="Path">Path and query of the stream, percent-encoded, relative to the base path of this application.</param>
/// <param name="LastEventId">Where to go on; null begins with what happens from now on.</param>
internal sealed record StreamWish(string Id, string Path, string? LastEventId = null)
{
    /// <summary>64 topics of 200 characters, each of which may be percent-encoded, and the flags.</summary>
    public const int MaxPath = 64 * 3 * 220;

    private const int MaxLastEventId = 256;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>.</exception>
    public void Check(string field)
    {
        if (!DeviceId.IsValid(Id))
            throw Invalid($"{field}.id", $"A stream id must have 1 to {DeviceId.MaxLength} letters, digits and ._-");
        if (Path.Length > MaxPath)
            throw Invalid($"{field}.path", $"The path has {Path.Length} characters; the limit is {MaxPath}.");
        if (
            Path is not ['/', ..]
            || Path.StartsWith("//", StringComparison.Ordinal)
            || Path.Any(static c => c is <= ' ' or '\\' or '#' or >= '\x7f')
        )
            throw Invalid($"{field}.path", "The path must begin with one '/', be percent-encoded and have no fragment.");
        // A ticket opens its stream as whoever got it, and all streams of one response are one user's.
        if (Path.Contains("ticket=", StringComparison.OrdinalIgnoreCase))
            throw Invalid($"{field}.path", "A ticket cannot open a stream of a combined response. Send the credential with this request.");
        if (LastEventId is { Length: > MaxLastEventId } || LastEventId?.Any(static c => c is <= ' ' or >= '\x7f') == true)
            throw Invalid($"{field}.lastEventId", $"An event id must have at most {MaxLastEventId} printable ASCII characters.");
    }

    /// <summary>Checks all of a list.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>.</exception>
    public static void CheckAll(IReadOnlyList<StreamWish?> wishes, string field)
    {
        for (var i = 0; i < wishes.Count; i++)
            (wishes[i] ?? throw Invalid($"{field}[{i}]", "A stream must be an object with 'id' and 'path'.")).Check($"{field}[{i}]");
    }

    private static DunlinException Invalid(string field, string detail) => new(ErrorCode.InvalidField, detail, field);
}

/// <summary>The body of <c>POST /dunlin/v1/streams</c>.</summary>
internal sealed record CombinedOpening(IReadOnlyList<StreamWish> Streams);

/// <summary>The body of <c>POST /dunlin/v1/streams/{id}</c>. Streams are closed before others are opened.</summary>
internal sealed record CombinedChange(IReadOnlyList<StreamWish>? Open = null, IReadOnlyList<string>? Close = null);
