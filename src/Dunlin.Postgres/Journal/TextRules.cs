using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Postgres.Journal;

/// <summary>Refuses texts that PostgreSQL cannot store before they reach a batch, where they would fail the whole batch.</summary>
internal static class TextRules
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: an id of the origin contains NUL or an unpaired
    /// surrogate.</exception>
    public static void Check(EventDraft draft)
    {
        if (draft.Origin is not { } origin)
            return;
        Check(origin.UserId, "origin.userId");
        Check(origin.SessionId, "origin.sessionId");
        Check(origin.ConnectionId, "origin.connectionId");
        Check(origin.DeviceId, "origin.deviceId");
    }

    private static void Check(string? text, string field)
    {
        if (text is null)
            return;
        if (text.Contains('\0', StringComparison.Ordinal) || !IsWhole(text))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must not contain NUL or an unpaired surrogate.", field);
    }

    private static bool IsWhole(string text)
    {
        if (Ascii.IsValid(text))
            return true;
        try
        {
            Strict.GetByteCount(text);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }
}
