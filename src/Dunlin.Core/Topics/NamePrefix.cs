namespace Dunlin.Topics;

/// <summary>
/// Compares prefixes of topic and resource names segment by segment: <c>users/1</c> does not cover <c>users/10</c>. Thread-safe.
/// </summary>
public static class NamePrefix
{
    /// <summary>Returns whether <paramref name="name"/> equals <paramref name="prefix"/> or is below it.</summary>
    /// <param name="prefix">The prefix. Empty covers all names; a trailing <c>/</c> has no effect.</param>
    /// <param name="name">The name.</param>
    public static bool Covers(string prefix, string name)
    {
        var bare = prefix.EndsWith('/') ? prefix.AsSpan(0, prefix.Length - 1) : prefix;
        return bare.IsEmpty
            || (name.AsSpan().StartsWith(bare, StringComparison.Ordinal) && (name.Length == bare.Length || name[bare.Length] == '/'));
    }
}
