using System.Text.Json.Nodes;
using Dunlin.Journal;
using Dunlin.Records;

namespace Dunlin.RxDb.Hints;

/// <summary>Collects the hints of a unit of work per user, and appends them at its end. Each user receives hints only for documents that
/// the user can see when the unit commits. Not thread-safe.</summary>
internal sealed class HintSheet(RecordWriter records)
{
    private readonly Dictionary<(string UserId, RxCollection Collection), List<JsonObject>> _documents = [];
    private readonly Dictionary<SpaceName, IReadOnlyList<SpaceAccess>> _members = [];

    public async ValueTask AddAsync(RxCollection collection, RecordRow row, JsonObject? document, CancellationToken cancellationToken)
    {
        if (!_members.TryGetValue(row.Space, out var members))
            _members.Add(row.Space, members = await records.MembersAsync(row.Space, cancellationToken));
        var hint = document is null || collection.Hint is null ? [] : collection.Hint(document);
        hint[collection.PrimaryKey] = collection.IdOf(row.Key);
        foreach (var member in members)
        {
            if (row.Audience is not null && row.Audience != member.UserId)
                continue;
            if (!_documents.TryGetValue((member.UserId, collection), out var list))
                _documents.Add((member.UserId, collection), list = []);
            list.Add(hint);
        }
    }

    public async ValueTask AppendAsync(IUnitOfWork unit, int maxSingle, EventOrigin? origin, CancellationToken cancellationToken)
    {
        foreach (var ((userId, collection), hints) in _documents)
        {
            // One hint with a count replaces many single hints, because the client pulls once in either case.
            foreach (var hint in hints.Count <= maxSingle ? hints : [new JsonObject { ["count"] = hints.Count }])
                await unit.AppendAsync(EventDraft.Of(HintTopics.Of(userId), collection.HintEvent, hint, origin), cancellationToken);
        }
        foreach (var userId in records.UsersWithChangedAccess)
            await unit.AppendAsync(
                EventDraft.Of(HintTopics.Of(userId), HintTopics.AccessEvent, new JsonObject(), origin),
                cancellationToken
            );
    }
}
