using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb.Hints;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb;

/// <summary>
/// Documents that the server itself reads and changes, beside what clients push. Change them through a <see cref="RecordWriter"/>
/// and end the unit of work with <see cref="AnnounceAsync"/>. Safe for concurrent use; what it is given is not.
/// </summary>
public sealed class RxDocuments
{
    private readonly RxCollectionSet _collections;
    private readonly RxDbOptions _options;

    internal RxDocuments(RxCollectionSet collections, IOptions<RxDbOptions> options) =>
        (_collections, _options) = (collections, options.Value);

    /// <summary>The key of a document's record.</summary>
    /// <exception cref="ArgumentException">There is no such collection.</exception>
    public string KeyOf(string collection, string id) => Require(collection).KeyOf(id);

    /// <summary>The living record of a document, in whatever space it lies and whoever may read it; null where there is none.</summary>
    /// <exception cref="ArgumentException">There is no such collection.</exception>
    public async ValueTask<RecordRow?> FindAsync(
        IUnitOfWork unit,
        string collection,
        string id,
        CancellationToken cancellationToken = default
    ) => await FindAsync(unit.RecordTables().Records, Require(collection).KeyOf(id), cancellationToken);

    /// <inheritdoc cref="FindAsync(IUnitOfWork, string, string, CancellationToken)"/>
    public async ValueTask<RecordRow?> FindAsync(
        IReadScope scope,
        string collection,
        string id,
        CancellationToken cancellationToken = default
    ) => await FindAsync(scope.RecordTables().Records, Require(collection).KeyOf(id), cancellationToken);

    /// <summary>Remembers where the documents lie that <paramref name="records"/> has changed, and gives a hint to everyone who sees
    /// one of them or whose access has changed, once the unit of work commits. Call it once, at the end of every unit that
    /// changes documents outside of a push; one that does not is invisible to the streams, and its new documents to pushes.</summary>
    /// <exception cref="InvalidOperationException">A document lacks its primary key, holds a field that begins with <c>_</c>, or
    /// has the id of another that lives.</exception>
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

    /// <summary>Gives a further hint, beside those of <see cref="AnnounceAsync"/>, to everyone who may read a space; such as
    /// <c>items:resolved</c>. It may be lost: what it tells must also stand in a document.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="space">Whose readers are told.</param>
    /// <param name="type">The type of the event.</param>
    /// <param name="data">What everyone who may read the space may know; as JSON in web style.</param>
    /// <param name="origin">Who causes it.</param>
    /// <param name="cancellationToken">Stops it.</param>
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
