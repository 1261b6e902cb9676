using System.Security.Cryptography;
using System.Text;
using Dunlin.Diagnostics;

namespace Dunlin.Journal;

/// <summary>What every journal checks before an append, written once.</summary>
public static class AppendRules
{
    /// <summary>The longest idempotency key and scope, in characters.</summary>
    public const int MaxKeyLength = 100;

    /// <summary>The length of <see cref="Fingerprint"/> in bytes: enough that no two requests of one key meet by chance.</summary>
    public const int FingerprintBytes = 16;

    /// <summary>Throws where a bound of <see cref="JournalLimits"/> is broken.</summary>
    /// <returns>The bytes of data in all.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/> or <see cref="ErrorCode.InvalidField"/>.</exception>
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
        long bytes = 0;
        for (var i = 0; i < drafts.Count; i++)
            bytes += Check(drafts[i]);
        return bytes;
    }

    /// <summary>Throws where the data of one event is too large.</summary>
    /// <returns>The bytes of data.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>.</exception>
    public static int Check(EventDraft draft) =>
        draft.Data.Length <= JournalLimits.MaxDataBytes
            ? draft.Data.Length
            : throw TooLarge(
                $"The data of the event has {draft.Data.Length} bytes; the limit is {JournalLimits.MaxDataBytes}.",
                JournalLimits.MaxDataBytes
            );

    /// <summary>
    /// A digest of what is appended, to tell a repeated request from another one with the same key. The origin is left
    /// out: a client that repeats a request after a lost reply often does so on a new connection.
    /// </summary>
    public static byte[] Fingerprint(IReadOnlyList<EventDraft> drafts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> lengths = stackalloc byte[12];
        Span<byte> text = stackalloc byte[TopicBytes + EventDraft.MaxTypeLength];
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            // Lengths first, so that no two different requests give the same bytes.
            var topic = Encoding.ASCII.GetBytes(draft.Topic.Value, text);
            var type = Encoding.ASCII.GetBytes(draft.Type, text[topic..]);
            BitConverter.TryWriteBytes(lengths, topic);
            BitConverter.TryWriteBytes(lengths[4..], type);
            BitConverter.TryWriteBytes(lengths[8..], draft.Data.Length);
            hash.AppendData(lengths);
            hash.AppendData(text[..(topic + type)]);
            hash.AppendData(draft.Data.Span);
        }
        return hash.GetHashAndReset()[..FingerprintBytes];
    }

    /// <summary>The error for a key that comes back with other content.</summary>
    public static DunlinException KeyReused(IdempotencyKey key) =>
        new(ErrorCode.IdempotencyKeyReused, $"The idempotency key '{key.Key}' belongs to another request.");

    // PostgreSQL keeps no NUL in a text, and half a surrogate pair has no UTF-8.
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
