namespace Dunlin.Topics;

/// <summary>Prefixes of topic and resource names that end at a segment border: <c>users/1</c> never covers <c>users/10</c>.</summary>
public static class NamePrefix
{
    /// <summary>Whether <paramref name="name"/> equals <paramref name="prefix"/> or lies below it. An empty prefix covers all;
    /// a trailing <c>/</c> in the prefix changes nothing.</summary>
    public static bool Covers(string prefix, string name)
    {
        var bare = prefix.EndsWith('/') ? prefix.AsSpan(0, prefix.Length - 1) : prefix;
        return bare.IsEmpty
            || (name.AsSpan().StartsWith(bare, StringComparison.Ordinal) && (name.Length == bare.Length || name[bare.Length] == '/'));
    }
}
