namespace Dunlin.Problems;

/// <summary>Shortens a value of the caller for the text of an error.</summary>
internal static class Excerpt
{
    /// <summary>Returns the text, or its first characters and an ellipsis.</summary>
    public static string Of(string text, int maxLength = 40) => text.Length <= maxLength ? text : text[..maxLength] + "…";
}
