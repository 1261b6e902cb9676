namespace Dunlin.Apps.Documents.SharedDrafts;

/// <summary>A shared draft in the database.</summary>
internal sealed record SharedDraft(string StableId, string Id, string LineBreak, string StartedBy, long StartedAt);

/// <summary>A shared draft as pages receive it.</summary>
/// <param name="Id">The id, which no other draft ever has. Saves and the end name it.</param>
/// <param name="Topic">The topic of the Yjs document, which has the shared text <c>text</c>.</param>
/// <param name="LineBreak">
/// <c>lf | crlf</c>: the line break of the stored text. The shared text has line feeds in place of <c>crlf</c>.
/// </param>
/// <param name="StartedBy">The name of the user who started it.</param>
/// <param name="StartedAt">The time of the start.</param>
internal sealed record SharedDraftView(string Id, string Topic, string LineBreak, string StartedBy, DateTimeOffset StartedAt);

/// <summary>The line breaks of a text. Editors use one character for each line break.</summary>
internal static class LineBreaks
{
    public const string Lf = "lf";

    public const string CrLf = "crlf";

    /// <summary>
    /// Returns the shared text of a stored text. Only if all line breaks are CR LF they become line feeds. Otherwise carriage returns stay
    /// as characters, so that a save restores every byte.
    /// </summary>
    public static (string Text, string LineBreak) Share(string stored)
    {
        for (var i = 0; i < stored.Length; i++)
        {
            if (stored[i] == '\r' && i + 1 < stored.Length && stored[i + 1] == '\n')
                i++;
            else if (stored[i] is '\r' or '\n')
                return (stored, Lf);
        }
        return stored.Contains('\n', StringComparison.Ordinal)
            ? (stored.Replace("\r\n", "\n", StringComparison.Ordinal), CrLf)
            : (stored, Lf);
    }
}
