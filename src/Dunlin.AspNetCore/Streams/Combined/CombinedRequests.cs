using Dunlin.Devices;
using Dunlin.Diagnostics;

namespace Dunlin.Streams.Combined;

/// <summary>A stream to open in a combined response.</summary>
/// <param name="Id">The id that the client chooses. It is unique among the open streams of the response.</param>
/// <param name="Path">The path and query of the stream, percent-encoded, relative to the base path of this application.</param>
/// <param name="LastEventId">The position after which the stream resumes. Null starts with the next event.</param>
internal sealed record StreamWish(string Id, string Path, string? LastEventId = null)
{
    /// <summary>The maximum length of a path: 64 topics of 200 characters, each of which may be percent-encoded, and parameter
    /// names.</summary>
    public const int MaxPath = 64 * 3 * 220;

    private const int MaxLastEventId = 256;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: a member is invalid. The error names it.</exception>
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
        // A ticket can authenticate another user, but all streams of one response belong to one user.
        if (Path.Contains("ticket=", StringComparison.OrdinalIgnoreCase))
            throw Invalid($"{field}.path", "A ticket cannot open a stream of a combined response. Send the credential with this request.");
        if (LastEventId is { Length: > MaxLastEventId } || LastEventId?.Any(static c => c is <= ' ' or >= '\x7f') == true)
            throw Invalid($"{field}.lastEventId", $"An event id must have at most {MaxLastEventId} printable ASCII characters.");
    }

    /// <summary>Checks all items of a list.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an item is invalid.</exception>
    public static void CheckAll(IReadOnlyList<StreamWish?> wishes, string field)
    {
        for (var i = 0; i < wishes.Count; i++)
            (wishes[i] ?? throw Invalid($"{field}[{i}]", "A stream must be an object with 'id' and 'path'.")).Check($"{field}[{i}]");
    }

    private static DunlinException Invalid(string field, string detail) => new(ErrorCode.InvalidField, detail, field);
}

/// <summary>The body of <c>POST /dunlin/v1/streams</c>.</summary>
internal sealed record CombinedOpening(IReadOnlyList<StreamWish> Streams);

/// <summary>The body of <c>POST /dunlin/v1/streams/{id}</c>. The server closes streams before it opens new ones.</summary>
internal sealed record CombinedChange(IReadOnlyList<StreamWish>? Open = null, IReadOnlyList<string>? Close = null);
