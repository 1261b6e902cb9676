using System.Text;
using Dunlin.Records;

namespace Dunlin.RxDb;

/// <summary>The location of a document: <paramref name="Space"/>, and whether it is deleted there.</summary>
internal readonly record struct DocumentHome(SpaceName Space, bool IsDeleted);

/// <summary>Stores the space of each document by the key of its record. Not thread-safe.</summary>
/// <remarks>The index has one row per record, in a space to which no user ever has access. A client names a document by its primary key
/// only, so a key must identify one document. Otherwise a user who knows an id could create a second document with that id in a space of
/// their own, and share it with the owner of the first.</remarks>
internal sealed class DocumentIdIndex(IRecordTable records)
{
    // Reserved name: the spaces of applications do not start like this by accident.
    private static readonly SpaceName Space = SpaceName.Parse("dunlin.rxdb/homes");

    /// <summary>Returns the location of a document, or null if the key was never used or retention has removed its deletion.</summary>
    public async ValueTask<DocumentHome?> FindAsync(string key, CancellationToken cancellationToken) =>
        await records.FindAsync(Space, key, cancellationToken) is { } row
            ? new DocumentHome(SpaceName.Parse(Encoding.UTF8.GetString(row.Value.Span[1..^1])), row.IsDeleted)
            : null;

    /// <summary>Stores the location of a record that has changed. Retention removes it together with the record's deletion.</summary>
    /// <exception cref="InvalidOperationException">A document with this key exists in another space.</exception>
    public async ValueTask SaveAsync(RecordRow changed, CancellationToken cancellationToken)
    {
        var home = await FindAsync(changed.Key, cancellationToken);
        if (home is { } known && known.Space != changed.Space)
        {
            // A record that moves is deleted in one space and put in the other. The row that is not deleted decides.
            if (changed.IsDeleted)
                return;
            if (!known.IsDeleted && await records.FindAsync(known.Space, changed.Key, cancellationToken) is { IsDeleted: false })
                throw new InvalidOperationException(
                    $"The record '{changed.Key}' was written to '{changed.Space}', but exists in '{known.Space}'. Ids must be unique in a collection."
                );
        }
        // Space names contain no character that JSON escapes.
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
