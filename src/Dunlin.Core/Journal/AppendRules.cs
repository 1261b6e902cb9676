using System.Security.Cryptography;
using System.Text;
using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>Validates appends for all journal implementations.</summary>
internal static class AppendRules
{
    /// <summary>The maximum length of an idempotency key in characters: 100.</summary>
    public const int MaxKeyLength = 100;

    /// <summary>The maximum length of the scope of an idempotency key in characters: 200.</summary>
    public const int MaxScopeLength = 200;

    /// <summary>
    /// The length of a <see cref="Fingerprint"/> in bytes: 16, so that the fingerprints of two requests do not collide.
    /// </summary>
    public const int FingerprintBytes = 16;

    /// <summary>Validates the events and the idempotency key of an append against <see cref="JournalLimits"/>.</summary>
    /// <param name="drafts">The events to append.</param>
    /// <param name="idempotency">The idempotency key; null if there is none.</param>
    /// <returns>The total size of the event data in bytes.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: there is no event, or the key is not valid.
    /// <see cref="ErrorCode.TooLarge"/>: there are too many events, or the data of one event is too large.</exception>
    public static long Check(IReadOnlyList<EventDraft> drafts, IdempotencyKey? idempotency)
    {
        if (drafts.Count == 0)
            throw new DunlinException(ErrorCode.InvalidField, "The list of events is empty. Append at least one event.", "events");
        if (drafts.Count > JournalLimits.MaxEventsPerAppend)
            throw TooLarge(
                $"The request has {drafts.Count} events; the limit is {JournalLimits.MaxEventsPerAppend}. Split it.",
                JournalLimits.MaxEventsPerAppend
            );
        if (idempotency is not null && (idempotency.Key.Length is 0 or > MaxKeyLength || !IsStorable(idempotency.Key)))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"An idempotency key must have 1 to {MaxKeyLength} characters, without control characters.",
                "idempotencyKey"
            );
        if (idempotency is not null && (idempotency.Scope.Length > MaxScopeLength || !IsStorable(idempotency.Scope)))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"The scope of an idempotency key must have at most {MaxScopeLength} characters, without control characters.",
                "scope"
            );
        long bytes = 0;
        for (var i = 0; i < drafts.Count; i++)
            bytes += Check(drafts[i]);
        return bytes;
    }

    /// <summary>Validates the size of one event's data.</summary>
    /// <param name="draft">The event to append.</param>
    /// <returns>The size of the data in bytes.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>: the data has more than <see cref="JournalLimits.MaxDataBytes"/>
    /// bytes.</exception>
    public static int Check(EventDraft draft) =>
        draft.Data.Length <= JournalLimits.MaxDataBytes
            ? draft.Data.Length
            : throw TooLarge(
                $"The data of the event has {draft.Data.Length} bytes; the limit is {JournalLimits.MaxDataBytes}.",
                JournalLimits.MaxDataBytes
            );

    /// <summary>Returns a digest that distinguishes a repeated request from another request with the same key.</summary>
    /// <remarks>The digest excludes the origin: a client often repeats a request on a new connection after it lost the reply.</remarks>
    /// <param name="drafts">The events of the request.</param>
    /// <returns>The first <see cref="FingerprintBytes"/> bytes of a SHA-256 digest of topics, types and data.</returns>
    public static byte[] Fingerprint(IReadOnlyList<EventDraft> drafts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> lengths = stackalloc byte[12];
        Span<byte> names = stackalloc byte[TopicBytes + EventDraft.MaxTypeLength];
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            // Hash the lengths first, so that different field boundaries never produce the same bytes.
            var text = draft.Topic.IsText ? new byte[Encoding.UTF8.GetMaxByteCount(draft.Topic.Value.Length + draft.Type.Length)] : names;
            var topic = Encoding.UTF8.GetBytes(draft.Topic.Value, text);
            var type = Encoding.ASCII.GetBytes(draft.Type, text[topic..]);
            BitConverter.TryWriteBytes(lengths, topic);
            BitConverter.TryWriteBytes(lengths[4..], type);
            BitConverter.TryWriteBytes(lengths[8..], draft.Data.Length);
            hash.AppendData(lengths);
            hash.AppendData(text[..(topic + type)]);
            hash.AppendData(draft.Data.Span);
            if (draft.Extra is { } extra)
                hash.AppendData(extra.Encode());
        }
        return hash.GetHashAndReset()[..FingerprintBytes];
    }

    /// <summary>Returns the error for an idempotency key that was used with different content.</summary>
    public static DunlinException KeyReused(IdempotencyKey key) =>
        new(ErrorCode.IdempotencyKeyReused, $"The idempotency key '{key.Key}' belongs to another request.");

    // PostgreSQL text cannot hold NUL, and an unpaired surrogate has no UTF-8 encoding.
    private static bool IsStorable(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsControl(rune) || rune == Rune.ReplacementChar)
                return false;
        }
        return true;
    }

    private const int TopicBytes = Topics.TopicName.MaxLength;

    private static DunlinException TooLarge(string detail, int limit) =>
        new(ErrorCode.TooLarge, detail) { Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit } };
}
