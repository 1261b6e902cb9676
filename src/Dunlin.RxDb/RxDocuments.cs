using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb.Hints;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb;

/// <summary>Reads and announces documents that the server itself changes, outside of pushes. Thread-safe; its arguments are not.</summary>
/// <remarks>Change documents through a <see cref="RecordWriter"/>, and call <see cref="AnnounceAsync"/> at the end of the unit of
/// work.</remarks>
public sealed class RxDocuments
{
    private readonly RxCollectionSet _collections;
    private readonly RxDbOptions _options;

    internal RxDocuments(RxCollectionSet collections, IOptions<RxDbOptions> options) =>
        (_collections, _options) = (collections, options.Value);

    /// <summary>Returns the key of a document's record.</summary>
    /// <param name="collection">The name of the collection.</param>
    /// <param name="id">The primary key of the document.</param>
    /// <exception cref="ArgumentException">The collection does not exist.</exception>
    public string KeyOf(string collection, string id) => Require(collection).KeyOf(id);

    /// <summary>Returns the record of a document in any space, without an access check; null if there is none.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="collection">The name of the collection.</param>
    /// <param name="id">The primary key of the document.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">The collection does not exist.</exception>
    public async ValueTask<RecordRow?> FindAsync(
        IUnitOfWork unit,
        string collection,
        string id,
        CancellationToken cancellationToken = default
    ) => await FindAsync(unit.RecordTables().Records, Require(collection).KeyOf(id), cancellationToken);

    /// <summary>Returns the record of a document in any space, without an access check; null if there is none.</summary>
    /// <param name="scope">The read scope.</param>
    /// <param name="collection">The name of the collection.</param>
    /// <param name="id">The primary key of the document.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">The collection does not exist.</exception>
    public async ValueTask<RecordRow?> FindAsync(
        IReadScope scope,
        string collection,
        string id,
        CancellationToken cancellationToken = default
    ) => await FindAsync(scope.RecordTables().Records, Require(collection).KeyOf(id), cancellationToken);

    /// <summary>Updates the index of documents that <paramref name="records"/> has changed, and appends hints for all users who can see one
    /// of them or whose access has changed.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="records">The writer that made the changes.</param>
    /// <param name="origin">The origin of the change. Default: null.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <remarks>Call it once, at the end of each unit that changes documents outside of a push. Without it, streams receive no hints, and
    /// pushes cannot find new documents. The hints take effect when the unit commits.</remarks>
    /// <exception cref="InvalidOperationException">A document lacks its primary key, has a field that starts with <c>_</c>, or has the id
    /// of another existing document.</exception>
    public async ValueTask AnnounceAsync(
        IUnitOfWork unit,
        RecordWriter records,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        var homes = new DocumentIdIndex(unit.RecordTables().Records);
        var hints = new HintSheet(records);
        foreach (var row in records.Changed.OrderBy(static r => r.Version))
        {
            if (!_collections.TryFindByKey(row.Key, out var collection))
                continue;
            var document = row.IsDeleted ? null : Check(collection, row);
            await homes.SaveAsync(row, cancellationToken);
            await hints.AddAsync(collection, row, document, cancellationToken);
        }
        await hints.AppendAsync(unit, _options.MaxSingleHints, origin, cancellationToken);
    }

    /// <summary>Appends an additional hint for all users who may read a space, such as <c>items:resolved</c>. A hint may be lost, so its
    /// information must also be in a document.</summary>
    /// <typeparam name="T">The type of the data.</typeparam>
    /// <param name="unit">The unit of work.</param>
    /// <param name="space">The space whose readers receive the hint.</param>
    /// <param name="type">The event type.</param>
    /// <param name="data">The data, serialised as JSON in web style. All readers of the space receive it.</param>
    /// <param name="origin">The origin of the change. Default: null.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async ValueTask TellAsync<T>(
        IUnitOfWork unit,
        SpaceName space,
        string type,
        T data,
        EventOrigin? origin = null,
        CancellationToken cancellationToken = default
    )
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(data, JsonSerializerOptions.Web);
        foreach (var member in await unit.RecordTables().Access.ListMembersAsync(space, cancellationToken))
            await unit.AppendAsync(new EventDraft(HintTopics.Of(member.UserId), type, json, origin), cancellationToken);
    }

    private static async ValueTask<RecordRow?> FindAsync(IRecordTable records, string key, CancellationToken cancellationToken) =>
        await new DocumentIdIndex(records).FindAsync(key, cancellationToken) is { IsDeleted: false } home
        && await records.FindAsync(home.Space, key, cancellationToken) is { IsDeleted: false } row
            ? row
            : null;

    private static JsonObject Check(RxCollection collection, RecordRow row)
    {
        if (
            JsonNode.Parse(row.Value.Span) is JsonObject document
            && document[collection.PrimaryKey] is JsonValue id
            && id.TryGetValue<string>(out var text)
            && collection.KeyOf(text) == row.Key
            && document.All(static field => !field.Key.StartsWith('_'))
        )
        {
            return document;
        }
        throw new InvalidOperationException(
            $"The record '{row.Key}' is not a document of '{collection.Name}'. It must be a JSON object whose '{collection.PrimaryKey}' is '{collection.IdOf(row.Key)}', without fields that begin with _."
        );
    }

    private RxCollection Require(string collection) =>
        _collections.Find(collection) ?? throw new ArgumentException($"No collection '{collection}'.", nameof(collection));
}
