namespace Dunlin.Topics;

/// <summary>Validates user ids of all issuers. Each user has topics, so an id must fit into a topic name.</summary>
internal static class UserIds
{
    /// <summary>
    /// The maximum length of an id, in characters of a topic name: <c>users/{id}/devices/{device}</c> must fit with the longest device id.
    /// </summary>
    public const int MaxLength = 120;

    /// <summary>Returns why an id is not valid; null if it is valid.</summary>
    public static string? Fault(string? userId)
    {
        if (string.IsNullOrEmpty(userId))
            return "The user id is missing or empty.";
        // An escaped segment is at least as long as the id, so an id that is too long need not be escaped.
        return userId.Length > MaxLength || userId.Any(char.IsControl) || LengthInTopic(userId) > MaxLength
            ? $"A user id must have at most {MaxLength} characters, without control characters. A character that a topic name cannot have counts three for each byte of its UTF-8."
            : null;
    }

    private static int LengthInTopic(string userId) =>
        userId.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@' or '|' or ':')
            ? userId.Length
            : TopicName.SegmentLength(userId);
}
