namespace Dunlin.Topics;

/// <summary>What a user id may be, whoever vouches for it: each user has topics, and those have a longest name.</summary>
internal static class UserIds
{
    /// <summary>
    /// The longest id, in characters of a topic name: <c>users/{id}/devices/{device}</c> with the longest device still fits.
    /// </summary>
    public const int MaxLength = 120;

    /// <summary>What is wrong with an id; null where nothing is.</summary>
    public static string? Fault(string? userId)
    {
        if (string.IsNullOrEmpty(userId))
            return "The user id is missing or empty.";
        // The length of a segment is at least the id's: whatever is too long need not be written out.
        return userId.Length > MaxLength || userId.Any(char.IsControl) || LengthInTopic(userId) > MaxLength
            ? $"A user id must have at most {MaxLength} characters, without control characters. A character that a topic name cannot have counts three for each byte of its UTF-8."
            : null;
    }

    private static int LengthInTopic(string userId) =>
        userId.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@' or '|' or ':')
            ? userId.Length
            : TopicName.SegmentLength(userId);
}
