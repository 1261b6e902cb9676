using System.Buffers;
using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.RxDb.Pull;

/// <summary>Serves <c>GET pull/{collection}?position=&amp;limit=</c>: returns the documents that have changed for the user since the
/// position, in journal order, as <c>{documents, checkpoint: {position}}</c>. Thread-safe.</summary>
/// <remarks>
/// A page shorter than the limit is the last one. Some positions cannot be continued: they belong to another epoch, or retention has
/// removed deletions since. The response is then <c>checkpoint_expired</c> (410): the client starts again without a position, and deletes
/// local documents that it does not receive again.
/// </remarks>
internal sealed class PullService(
    IStore store,
    IJournal journal,
    RxCollectionSet collections,
    RxDbInstruments instruments,
    IOptions<RxDbOptions> options,
    TimeProvider time
)
{
    private const int DefaultLimit = 100;

    // Writes many documents at once, and limits the memory that a slow client holds in addition to its page.
    private const int FlushBytes = 64 * 1024;

    public async Task ServeAsync(HttpContext context, string collectionName)
    {
        var caller = context.RequireCaller();
        var collection = SchemaCheck.Require(context, collections, collectionName);
        var (position, limit) = (Position(context.Request), Limit(context.Request));
        if (position is { } at && await IsAheadAsync(at))
            throw Expired(collection);
        var began = time.GetTimestamp();
        var (documents, checkpoint) = await store.ReadAsync(
            (scope, ct) => ReadAsync(scope, collection, caller.UserId, position, limit, ct),
            context.RequestAborted
        );
        instruments.Pulled(collection.Name, documents.Count, time.GetElapsedTime(began));
        await AnswerAsync(context, documents, checkpoint);
    }

    private async ValueTask<(List<byte[]> Documents, Position Checkpoint)> ReadAsync(
        IReadScope scope,
        RxCollection collection,
        string userId,
        Position? position,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var after = position?.Offset ?? 0;
        var reader = scope.Records(userId);
        if (position is { } at && (at.Epoch != scope.Position.Epoch || !await reader.CanContinueAsync(after, cancellationToken)))
            throw Expired(collection);
        var page = await reader.ReadPageAsync(after, collection.KeyPrefix, limit, cancellationToken);
        var documents = new List<byte[]>(page.Changes.Count);
        foreach (var change in page.Changes)
            documents.Add(
                change.IsGone
                    ? await GoneAsync(scope, collection, change.Key, userId, cancellationToken)
                    : WireDocuments.Living(change.Value.Span)
            );
        // After the last page the client has all changes of the snapshot, even if this collection has not changed for long. An old position
        // would make deletions that retention has removed since look missing.
        var through = page.HasMore ? page.Through : Math.Max(page.Through, scope.Position.Offset);
        return (documents, scope.Position with { Offset = through });
    }

    /// <summary>Returns the document if it has moved to another space that the user can read. A deletion in one space is then no deletion
    /// for the user.</summary>
    private static async ValueTask<byte[]> GoneAsync(
        IReadScope scope,
        RxCollection collection,
        string key,
        string userId,
        CancellationToken cancellationToken
    )
    {
        var tables = scope.RecordTables();
        if (
            await new DocumentIdIndex(tables.Records).FindAsync(key, cancellationToken) is { IsDeleted: false } home
            && await tables.Access.FindAsync(home.Space, userId, cancellationToken) is { IsGranted: true }
            && await tables.Records.FindAsync(home.Space, key, cancellationToken) is { IsDeleted: false } row
            && (row.Audience is null || row.Audience == userId)
        )
        {
            return WireDocuments.Living(row.Value.Span);
        }
        return WireDocuments.Gone(collection, collection.IdOf(key));
    }

    /// <summary>Returns whether a position is beyond the head, because the database was restored from an older copy. A commit becomes
    /// visible shortly before the head is raised, so an empty unit of work runs first.</summary>
    private async ValueTask<bool> IsAheadAsync(Position at)
    {
        if (at.Epoch != journal.Head.Epoch || at.Offset <= journal.Head.Offset)
            return false;
        await store.WriteAsync(static (_, _) => ValueTask.CompletedTask, CancellationToken.None);
        return at.Offset > journal.Head.Offset;
    }

    private static async Task AnswerAsync(HttpContext context, List<byte[]> documents, Position checkpoint)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        var answer = new ArrayBufferWriter<byte>(4096);
        answer.Write("{\"documents\":["u8);
        for (var i = 0; i < documents.Count; i++)
        {
            if (i > 0)
                answer.Write(","u8);
            answer.Write(documents[i]);
            if (answer.WrittenCount < FlushBytes)
                continue;
            await context.Response.BodyWriter.WriteAsync(answer.WrittenMemory, context.RequestAborted);
            answer.ResetWrittenCount();
        }
        answer.Write("],\"checkpoint\":{\"position\":\""u8);
        answer.Advance(checkpoint.Format(answer.GetSpan(Journal.Position.MaxLength)));
        answer.Write("\"}}"u8);
        await context.Response.BodyWriter.WriteAsync(answer.WrittenMemory, context.RequestAborted);
    }

    private DunlinException Expired(RxCollection collection)
    {
        instruments.Expired(collection.Name);
        return new DunlinException(ErrorCode.CheckpointExpired, null, "position");
    }

    private static Position? Position(HttpRequest request)
    {
        var text = (string?)request.Query["position"];
        if (string.IsNullOrEmpty(text))
            return null;
        return Journal.Position.TryParse(text, out var position)
            ? position
            : throw new DunlinException(
                ErrorCode.InvalidPosition,
                "'position' is not a position of this server. Use the position of the last pull, or omit it.",
                "position"
            );
    }

    // A limit that is too large is an error and is not reduced: a page shorter than the requested limit is the last one.
    private int Limit(HttpRequest request)
    {
        if ((string?)request.Query["limit"] is not { Length: > 0 } text)
            return Math.Min(DefaultLimit, options.Value.MaxPullLimit);
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && limit >= 1
            && limit <= options.Value.MaxPullLimit
            ? limit
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'limit' must be a whole number from 1 to {options.Value.MaxPullLimit}.",
                "limit"
            )
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = options.Value.MaxPullLimit },
            };
    }
}
