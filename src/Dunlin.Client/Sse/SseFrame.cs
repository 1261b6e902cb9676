namespace Dunlin.Client.Sse;

/// <summary>One block of an event stream. Immutable.</summary>
/// <param name="Type">The event name; <c>message</c> if the block has none.</param>
/// <param name="Id">The last event id at the end of the block; empty if there is none.</param>
/// <param name="Topic">The field <c>topic</c>, or null.</param>
/// <param name="Control">The field <c>control</c>, or null. Only the server can write it.</param>
/// <param name="Data">The data in UTF-8. Null if the block only changes the id.</param>
internal readonly record struct SseFrame(string Type, string Id, string? Topic, string? Control, byte[]? Data)
{
    /// <summary>Gets the fields <c>also</c>; null for none.</summary>
    public IReadOnlyList<string>? Also { get; init; }

    /// <summary>Gets the field <c>format</c>, or null.</summary>
    public string? Format { get; init; }
}
