using System.Text;
using Dunlin.Records;

namespace Dunlin.RxDb;

/// <summary>Where a document lies: <paramref name="Space"/>, and whether it is deleted there.</summary>
internal readonly record struct DocumentHome(SpaceName Space, bool IsDeleted);

/// <summary>
/// In which space each document lies, by the key of its record: one row beside each record, in a space that nobody is ever
/// given. A client names a document by its primary key alone, so a key must lead to one document: without this, whoever knows
/// an id could put a second document of that id into a space of one's own and share it with the owner of the first.
/// </summary>
internal sealed class DocumentIdIndex(IRecordTable records)
{
    // Ours alone: what an application names its spaces never begins so by accident.
    private static readonly SpaceName Space = SpaceName.Parse("dunlin.rxdb/homes");

    /// <summary>Null where the key was never used, or its deletion is forgotten.</summary>
    public async ValueTask<DocumentHome?> FindAsync(string key, CancellationToken cancellationToken) =>
        await records.FindAsync(Space, key, cancellationToken) is { } row
            ? new DocumentHome(SpaceName.Parse(Encoding.UTF8.GetString(row.Value.Span[1..^1])), row.IsDeleted)
            : null;

    /// <summary>Remembers where a record lies that was just changed. It is forgotten with the record's deletion.</summary>
    /// <exception cref="InvalidOperationException">A living document of this key lies in another space.</exception>
    public async ValueTask SaveAsync(RecordRow changed, CancellationToken cancellationToken)
    {
        var home = await FindAsync(changed.Key, cancellationToken);
        if (home is { } known && known.Space != changed.Space)
        {
            // A record that moves is deleted in one space and put in the other; the one that lives decides.
            if (changed.IsDeleted)
                return;
            if (!known.IsDeleted && await records.FindAsync(known.Space, changed.Key, cancellationToken) is { IsDeleted: false })
                throw new InvalidOperationException(
                    $"The record '{changed.Key}' was put into '{changed.Space}' and lives in '{known.Space}': an id is used once in a collection."
                );
        }
        // The names of spaces hold nothing that JSON escapes.
        await records.SaveAsync(
            new RecordRow(Space, changed.Key)
            {
                Version = changed.Version,
                Created = changed.Created,
                DeletedAt = changed.DeletedAt,
                Value = Encoding.UTF8.GetBytes($"\"{changed.Space.Value}\""),
            },
            cancellationToken
        );
    }
}
