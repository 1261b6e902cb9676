using System.Text;
using Dapper;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Files;
using Dunlin.Apps.Text;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Documents.Search;

/// <summary>A file with matches.</summary>
/// <param name="FileId">The file.</param>
/// <param name="DocId">Its document.</param>
/// <param name="Title">The title of the document.</param>
/// <param name="Version">The version number.</param>
/// <param name="IsGold">Whether the file is the gold standard.</param>
/// <param name="Lines">The number of matching lines.</param>
/// <param name="Matches">The first matches.</param>
internal sealed record TextHit(
    string FileId,
    string DocId,
    string Title,
    long Version,
    bool IsGold,
    int Lines,
    IReadOnlyList<TextMatch> Matches
);

/// <summary>The answer of <c>GET files/search</c>.</summary>
/// <param name="Hits">The files: the last changed first.</param>
/// <param name="IsCut">Whether more files match.</param>
internal sealed record TextHits(IReadOnlyList<TextHit> Hits, bool IsCut);

/// <summary>The full-text search: a phrase in one line, without case and Unicode composition, in the texts that the caller may
/// see.</summary>
internal sealed class TextSearch(IStore store)
{
    private const int MinPhrase = 2;
    private const int MaxPhrase = 200;
    private const int MaxFiles = 20;
    private const int MatchesPerFile = 3;

    public static void Map(RouteGroupBuilder group) =>
        group.MapGet(
            "files/search",
            async (HttpContext http, TextSearch search) =>
                DocumentAnswers.Json(
                    http,
                    await search.FindAsync(http.RequireCaller(), (string?)http.Request.Query["q"] ?? "", http.RequestAborted)
                )
        );

    private ValueTask<TextHits> FindAsync(Caller caller, string phrase, CancellationToken cancellationToken)
    {
        var folded = FoldedText.Fold(FileEndpoints.Text(phrase, "q", MinPhrase, MaxPhrase));
        return store.ReadAsync(
            async (scope, _) =>
            {
                var rows = (
                    await scope.Connection.QueryAsync<(string FileId, string DocId, string Title, long Version, long IsGold)>(
                        "SELECT f.stable_id, f.document_id, d.title, f.number, f.is_gold FROM documents_text t "
                            + "JOIN documents_file f ON f.stable_id = t.stable_id JOIN documents_document d ON d.id = f.document_id "
                            + $"WHERE f.deleted_at IS NULL AND {DocumentRows.Visible} AND t.folded LIKE @pattern ESCAPE '\\' "
                            + "ORDER BY f.changed_at DESC, f.number DESC, f.stable_id LIMIT @limit",
                        new
                        {
                            pattern = PatternOf(folded),
                            userId = caller.UserId,
                            all = CollectionRows.All(caller),
                            limit = MaxFiles + 1,
                        }
                    )
                ).AsList();
                var hits = new List<TextHit>();
                foreach (var row in rows.Take(MaxFiles))
                {
                    var content = await DocumentRows.ContentAsync(scope.Connection, null, row.FileId);
                    var (first, lines) = TextMatches.In(Encoding.UTF8.GetString(content), folded, MatchesPerFile);
                    if (lines > 0)
                        hits.Add(new TextHit(row.FileId, row.DocId, row.Title, row.Version, row.IsGold != 0, lines, first));
                }
                return new TextHits(hits, rows.Count > MaxFiles);
            },
            cancellationToken
        );
    }

    private static string PatternOf(string folded) =>
        "%"
        + folded
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("%", "\\%", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal)
        + "%";
}
