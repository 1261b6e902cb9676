using Dunlin.Apps.Wishlists.Items;
using Dunlin.Apps.Wishlists.Sharing;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb;
using Dunlin.Topics;
using Microsoft.Extensions.Options;
using static Dunlin.Apps.Wishlists.WishlistSpaces;

namespace Dunlin.Apps.Wishlists.Lists;

/// <summary>A document and the version of its record, which is its ETag.</summary>
internal sealed record Versioned<T>(T Document, long Version);

/// <summary>Runs the rules for REST requests. Each change is one unit of work, which announces the change. Thread-safe.</summary>
internal sealed class WishlistService(IStore store, RxDocuments documents, IOptions<WishlistOptions> options)
{
    /// <summary>Runs a change and announces its results.</summary>
    public ValueTask<T> ChangeAsync<T>(
        Caller caller,
        Func<WishlistWork, CancellationToken, ValueTask<T>> change,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var work = new WishlistWork(unit, unit.Records(caller.AsOrigin()), caller, documents, options.Value);
                var result = await change(work, ct);
                await work.AnnounceAsync(ct);
                return result;
            },
            cancellationToken
        );

    /// <summary>Returns the caller's own lists, or the lists that others share with the caller.</summary>
    public ValueTask<IReadOnlyList<WishlistDocument>> ListAsync(Caller caller, bool isOwn, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<WishlistDocument>>(
            async (scope, ct) =>
            {
                var tables = scope.RecordTables();
                var lists = new List<WishlistDocument>();
                foreach (var access in await tables.Access.ListByUserAsync(caller.UserId, ct))
                {
                    if (
                        access.IsGranted
                        && ListIdOf(access.Space) is { } id
                        && await tables.Records.FindAsync(access.Space, documents.KeyOf(ListCollection, id), ct) is { IsDeleted: false } row
                        && WishlistJson.Read<WishlistDocument>(row) is var list
                        && list.OwnerId == caller.UserId == isOwn
                    )
                    {
                        lists.Add(list);
                    }
                }
                return [.. lists.OrderBy(list => list.CreatedAt).ThenBy(list => list.Id, StringComparer.Ordinal)];
            },
            cancellationToken
        );

    public ValueTask<Versioned<WishlistDocument>> GetListAsync(Caller caller, string listId, CancellationToken cancellationToken) =>
        store.ReadAsync((scope, ct) => RequireListAsync(scope, caller, listId, ct), cancellationToken);

    public ValueTask<IReadOnlyList<ItemDocument>> ItemsAsync(Caller caller, string listId, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<ItemDocument>>(
            async (scope, ct) =>
            {
                await RequireListAsync(scope, caller, listId, ct);
                var items = await AllAsync<ItemDocument>(scope, List(listId), documents.KeyOf(ItemCollection, ""), ct);
                return [.. items.OrderBy(item => item.CreatedAt).ThenBy(item => item.Id, StringComparer.Ordinal)];
            },
            cancellationToken
        );

    public ValueTask<Versioned<ItemDocument>> GetItemAsync(Caller caller, string itemId, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, ct) =>
                await documents.FindAsync(scope, ItemCollection, itemId, ct) is { } row && await MayReadAsync(scope, row.Space, caller, ct)
                    ? new Versioned<ItemDocument>(WishlistJson.Read<ItemDocument>(row), row.Version)
                    : throw new DunlinException(ErrorCode.NotFound, "No item with this id that you may read."),
            cancellationToken
        );

    /// <summary>Returns all marks of a list to a member.</summary>
    public ValueTask<IReadOnlyList<MarkDocument>> MarksAsync(Caller caller, string listId, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<MarkDocument>>(
            async (scope, ct) =>
            {
                var list = await RequireListAsync(scope, caller, listId, ct);
                if (list.Document.OwnerId == caller.UserId || !await MayReadAsync(scope, MarksOf(listId), caller, ct))
                    throw new DunlinException(
                        ErrorCode.Forbidden,
                        "You cannot see marks on your own list, or on a list that you may only view."
                    );
                return await AllAsync<MarkDocument>(scope, MarksOf(listId), documents.KeyOf(MarkCollection, ""), ct);
            },
            cancellationToken
        );

    /// <summary>Returns the data of a list that anybody with the link may see.</summary>
    public ValueTask<SharePreview> PreviewAsync(string token, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, ct) =>
            {
                var share = await Shares.RequireAsync(scope.RecordTables().Records, token, scope.Now, ct);
                var row = await scope
                    .RecordTables()
                    .Records.FindAsync(List(share.WishlistId), documents.KeyOf(ListCollection, share.WishlistId), ct);
                if (row is not { IsDeleted: false })
                    throw new DunlinException(
                        ErrorCode.NotFound,
                        "The link is unknown, expired or revoked. Ask the owner of the list for a new one."
                    );
                var list = WishlistJson.Read<WishlistDocument>(row);
                // Items only: marks must not reach a visitor, who may be the owner.
                var wishes = share.ShowsWishes
                    ? await AllAsync<ItemDocument>(scope, List(list.Id), documents.KeyOf(ItemCollection, ""), ct)
                    : null;
                return new SharePreview(list.Name, list.OwnerName, share.Role, share.ExpiresAt, wishes);
            },
            cancellationToken
        );

    /// <summary>Makes the caller a member by a link. Of two links, the one with more rights wins. The owner stays the owner.</summary>
    public ValueTask<JoinAnswer> JoinAsync(Caller caller, string token, CancellationToken cancellationToken) =>
        ChangeAsync(
            caller,
            async (work, ct) =>
            {
                var share = await Shares.RequireAsync(work.Unit.RecordTables().Records, token, work.Unit.Now, ct);
                var list =
                    await work.Records.FindAsync<WishlistDocument>(
                        List(share.WishlistId),
                        documents.KeyOf(ListCollection, share.WishlistId),
                        ct
                    )
                    ?? throw new DunlinException(
                        ErrorCode.NotFound,
                        "The link is unknown, expired or revoked. Ask the owner of the list for a new one."
                    );
                if (list.OwnerId == caller.UserId)
                    return new JoinAnswer(list.Id, "owner");
                var known = list.Members.FirstOrDefault(member => member.UserId == caller.UserId);
                if (known is not null && (known.Role == Shares.MarkRole || known.Role == share.Role))
                    return new JoinAnswer(list.Id, known.Role);
                if (known is null)
                    await work.RequireRoomForMemberAsync(list, ct);
                await work.Records.GrantAsync(List(list.Id), caller.UserId, ct);
                await work.Records.GrantAsync(MarksOf(list.Id), caller.UserId, ct);
                var members = list
                    .Members.Where(member => member.UserId != caller.UserId)
                    .Append(new WishlistMember(caller.UserId, caller.Name, share.Role));
                await work.PutAsync(list with { Members = [.. members], UpdatedAt = work.Unit.Now }, ct);
                return new JoinAnswer(list.Id, share.Role);
            },
            cancellationToken
        );

    private async ValueTask<Versioned<WishlistDocument>> RequireListAsync(
        IReadScope scope,
        Caller caller,
        string listId,
        CancellationToken cancellationToken
    )
    {
        WireText.Id(listId);
        return
            await MayReadAsync(scope, List(listId), caller, cancellationToken)
            && await scope.RecordTables().Records.FindAsync(List(listId), documents.KeyOf(ListCollection, listId), cancellationToken)
                is { IsDeleted: false } row
            ? new Versioned<WishlistDocument>(WishlistJson.Read<WishlistDocument>(row), row.Version)
            : throw new DunlinException(ErrorCode.NotFound, "No wishlist with this id that you may read.");
    }

    private static async ValueTask<bool> MayReadAsync(
        IReadScope scope,
        SpaceName space,
        Caller caller,
        CancellationToken cancellationToken
    ) => await scope.RecordTables().Access.FindAsync(space, caller.UserId, cancellationToken) is { IsGranted: true };

    private static async ValueTask<IReadOnlyList<T>> AllAsync<T>(
        IReadScope scope,
        SpaceName space,
        string prefix,
        CancellationToken cancellationToken
    )
    {
        var all = new List<T>();
        RecordRow? last = null;
        while (true)
        {
            var page = await scope
                .RecordTables()
                .Records.ReadAsync(
                    new RecordQuery(space, last?.Version ?? 0, last?.Key, Prefix: prefix, LivingOnly: true),
                    cancellationToken
                );
            all.AddRange(page.Select(WishlistJson.Read<T>));
            if (page.Count < RecordLimits.MaxPageRecords)
                return all;
            last = page[^1];
        }
    }
}
