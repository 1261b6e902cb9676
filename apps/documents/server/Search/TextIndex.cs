using System.Text;
using Dapper;
using Dunlin.Apps.Documents.Files;
using Dunlin.Apps.Text;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Apps.Documents.Search;

/// <summary>
/// Maintains the folded texts for the search. Every write of a text updates them in the same unit of work. At the start they are computed
/// for texts that an older version of this system wrote.
/// </summary>
internal sealed class TextIndex(IStore store) : IHostedService
{
    // Small, because a unit of work delays other writers.
    private const int FilesPerUnit = 20;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (await store.WriteAsync(async (unit, _) => await FillAsync(unit), cancellationToken) == FilesPerUnit) { }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Stores the folded text of a file in this unit of work.</summary>
    public static Task SaveAsync(IUnitOfWork unit, string stableId, long revision, byte[] content) =>
        unit.Connection.ExecuteAsync(
            "INSERT INTO documents_text (stable_id, revision, folded) VALUES (@stableId, @revision, @folded) "
                + "ON CONFLICT (stable_id) DO UPDATE SET revision = @revision, folded = @folded",
            new
            {
                stableId,
                revision,
                folded = FoldedText.Fold(Encoding.UTF8.GetString(content)),
            },
            unit.Transaction
        );

    /// <returns>The number of files in this batch.</returns>
    private static async ValueTask<int> FillAsync(IUnitOfWork unit)
    {
        var stale = (
            await unit.Connection.QueryAsync<(string StableId, long Revision)>(
                "SELECT f.stable_id, f.revision FROM documents_file f LEFT JOIN documents_text t ON t.stable_id = f.stable_id "
                    + "WHERE f.kind = @Text AND (t.revision IS NULL OR t.revision <> f.revision) LIMIT @FilesPerUnit",
                new { FileKind.Text, FilesPerUnit },
                unit.Transaction
            )
        ).AsList();
        foreach (var (stableId, revision) in stale)
            await SaveAsync(unit, stableId, revision, await DocumentRows.ContentAsync(unit.Connection, unit.Transaction, stableId));
        return stale.Count;
    }
}
