using Dunlin.Apps.Wishlists.Items;
using Dunlin.Apps.Wishlists.Lists;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Apps.Wishlists.Sharing;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb;
using Dunlin.Topics;
using static Dunlin.Apps.Wishlists.WishlistSpaces;

namespace Dunlin.Apps.Wishlists;

/// <summary>A user's role in a list, which determines the permissions.</summary>
internal enum WishlistRole
{
    View,
    Mark,
    Owner,
}

/// <summary>
/// The rules of wishlists within one unit of work, for REST requests and pushes. Unknown lists and inaccessible lists give the same error.
/// Not thread-safe: use one instance per unit of work.
/// </summary>
internal sealed class WishlistWork(IUnitOfWork unit, RecordWriter records, Caller caller, RxDocuments documents, WishlistOptions options)
{
    public IUnitOfWork Unit => unit;

    public RecordWriter Records => records;

    public Caller Caller => caller;

    public WishlistOptions Options => options;

    /// <summary>Returns a list that the caller may see, and the caller's role.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.NotFound"/>: the list does not exist or is not shared with the caller.
    /// </exception>
    public async ValueTask<(WishlistDocument List, WishlistRole Role)> RequireListAsync(string listId, CancellationToken cancellationToken)
    {
        WireText.Id(listId, "wishlist_id");
        if (
            await records.MayReadAsync(List(listId), caller.UserId, cancellationToken)
            && await records.FindAsync<WishlistDocument>(List(listId), documents.KeyOf(ListCollection, listId), cancellationToken)
                is { } list
        )
        {
            return (list, RoleOf(list, caller.UserId));
        }
        throw new DunlinException(ErrorCode.NotFound, "No wishlist with this id that you may read.");
    }

    /// <summary>Returns a list that the caller owns.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.NotFound"/>: the caller may not see the list. <see cref="ErrorCode.Forbidden"/>: the caller is not the owner.
    /// </exception>
    public async ValueTask<WishlistDocument> RequireOwnListAsync(string listId, CancellationToken cancellationToken)
    {
        var (list, role) = await RequireListAsync(listId, cancellationToken);
        return role == WishlistRole.Owner
            ? list
            : throw new DunlinException(ErrorCode.Forbidden, "Only the owner of the list can do this.");
    }

    /// <summary>Returns an item that the caller may see, its list, the caller's role and the version of the item's record.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.NotFound"/>: the item does not exist or is not shared with the caller.
    /// </exception>
    public async ValueTask<(ItemDocument Item, WishlistDocument List, WishlistRole Role, long Version)> RequireItemAsync(
        string itemId,
        CancellationToken cancellationToken
    )
    {
        if (
            await documents.FindAsync(unit, ItemCollection, itemId, cancellationToken) is { } row
            && ListIdOf(row.Space) is { } listId
            && await records.MayReadAsync(row.Space, caller.UserId, cancellationToken)
        )
        {
            var (list, role) = await RequireListAsync(listId, cancellationToken);
            return (WishlistJson.Read<ItemDocument>(row), list, role, row.Version);
        }
        throw new DunlinException(ErrorCode.NotFound, "No item with this id that you may read.");
    }

    public async ValueTask<(ItemDocument Item, long Version)> RequireOwnItemAsync(string itemId, CancellationToken cancellationToken)
    {
        var (item, _, role, version) = await RequireItemAsync(itemId, cancellationToken);
        return role == WishlistRole.Owner
            ? (item, version)
            : throw new DunlinException(ErrorCode.Forbidden, "Only the owner of the list can do this.");
    }

    /// <summary>
    /// Returns an item by its id, without an access check. Use it to check whether an id is free; do not show the item to the caller.
    /// </summary>
    public async ValueTask<ItemDocument?> FindAnyItemAsync(string itemId, CancellationToken cancellationToken) =>
        await documents.FindAsync(unit, ItemCollection, itemId, cancellationToken) is { } row ? WishlistJson.Read<ItemDocument>(row) : null;

    /// <summary>Makes the caller the owner of a new list. The caller of this method stores it.</summary>
    public async ValueTask<WishlistDocument> BeginListAsync(WishlistDocument wanted, CancellationToken cancellationToken)
    {
        var space = List(WireText.Id(wanted.Id));
        // The id of a deleted list stays reserved: its readers must not become readers of another list.
        if ((await records.MembersAsync(space, cancellationToken)).Count > 0)
            throw new DunlinException(ErrorCode.Conflict, $"A list with id '{wanted.Id}' exists or existed. Use a new id.", "id");
        if (await CountListsAsync(isOwn: true, cancellationToken) >= options.MaxLists)
            throw WishlistOptions.Reached(options.MaxLists, $"The limit for one user is {options.MaxLists} lists. Delete one first.");
        await CountNewListAsync(cancellationToken);
        await records.GrantAsync(space, caller.UserId, cancellationToken);
        return new WishlistDocument(wanted.Id, WireText.Name(wanted.Name))
        {
            Description = WireText.Description(wanted.Description),
            OwnerId = caller.UserId,
            OwnerName = caller.Name,
            CreatedAt = unit.Now,
            UpdatedAt = unit.Now,
        };
    }

    public WishlistDocument ChangeList(WishlistDocument master, WishlistDocument wanted) =>
        master with
        {
            Name = WireText.Name(wanted.Name),
            Description = WireText.Description(wanted.Description),
            UpdatedAt = unit.Now,
        };

    /// <summary>
    /// Deletes the contents of a list, but not the list. Its readers keep access to the empty space, so that they receive the deletions.
    /// </summary>
    public async ValueTask EmptyListAsync(string listId, CancellationToken cancellationToken)
    {
        foreach (var row in await records.ListAsync(List(listId), documents.KeyOf(ItemCollection, ""), cancellationToken))
            await ResolveQueue.CancelAsync(unit, WishlistJson.Read<ItemDocument>(row).Id, cancellationToken);
        foreach (
            var (space, prefix) in new[]
            {
                (List(listId), documents.KeyOf(ItemCollection, "")),
                (MarksOf(listId), documents.KeyOf(MarkCollection, "")),
            }
        )
        {
            foreach (var row in await records.ListAsync(space, prefix, cancellationToken))
                await records.DeleteAsync(space, row.Key, cancellationToken);
        }
        await Shares.DeleteAllAsync(records, listId, cancellationToken);
    }

    public async ValueTask<ItemDocument> BeginItemAsync(ItemDocument wanted, CancellationToken cancellationToken)
    {
        await RequireOwnListAsync(wanted.WishlistId, cancellationToken);
        var items = await records.ListAsync(List(wanted.WishlistId), documents.KeyOf(ItemCollection, ""), cancellationToken);
        if (items.Count >= options.MaxItems)
            throw WishlistOptions.Reached(options.MaxItems, $"The limit for one list is {options.MaxItems} items. Use another list.");
        var url = WireText.Url(wanted.SourceUrl);
        var title = string.IsNullOrWhiteSpace(wanted.Title) && url is not null ? WireText.HostOf(url) : WireText.Title(wanted.Title);
        var item = new ItemDocument(WireText.Id(wanted.Id), wanted.WishlistId, title)
        {
            SourceUrl = url,
            // A client that adds an address offline uses the host as the title, as the server does.
            TitleEdited = url is null || !WireText.IsHost(title, url),
            CreatedAt = unit.Now,
            UpdatedAt = unit.Now,
        };
        return await WithPageAsync(ItemFields.Apply(item, wanted), cancellationToken);
    }

    public async ValueTask<ItemDocument> ChangeItemAsync(ItemDocument master, ItemDocument wanted, CancellationToken cancellationToken)
    {
        var url = WireText.Url(wanted.SourceUrl);
        var title = WireText.Title(wanted.Title);
        var item = ItemFields.Apply(master, wanted) with
        {
            Title = title,
            TitleEdited = master.TitleEdited || title != master.Title,
            SourceUrl = url,
            UpdatedAt = unit.Now,
        };
        return url == master.SourceUrl ? item : await WithPageAsync(item, cancellationToken);
    }

    /// <summary>Deletes what belongs to an item.</summary>
    public async ValueTask EndItemAsync(ItemDocument item, CancellationToken cancellationToken)
    {
        await ResolveQueue.CancelAsync(unit, item.Id, cancellationToken);
        foreach (var row in await MarksOnAsync(item, cancellationToken))
            await records.DeleteAsync(MarksOf(item.WishlistId), row.Key, cancellationToken);
    }

    /// <summary>Requests that the page of an item is read again.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.Conflict"/>: the item has no page, or its page is waiting or being read.
    /// <see cref="ErrorCode.TooManyRequests"/>: the rate limit is reached.
    /// </exception>
    public async ValueTask<ItemDocument> RetryAsync(ItemDocument item, CancellationToken cancellationToken)
    {
        if (item.Status is not (ItemStatus.Failed or ItemStatus.Resolved) || item.SourceUrl is null)
            throw new DunlinException(
                ErrorCode.Conflict,
                item.SourceUrl is null ? "The item has no 'source_url'." : "The page of the item is being read. Wait for the result."
            );
        var usage = await Usage.OfAsync(records, caller.UserId, cancellationToken);
        var interval = TimeSpan.FromMinutes(1) / options.RefreshesPerMinute;
        var (emptyAt, wait) = Usage.Add(usage.RefreshesEmptyAt, unit.Now, interval, options.RefreshesPerMinute - 1);
        if (wait > TimeSpan.Zero)
        {
            throw WishlistOptions.TooFast(
                options.RefreshesPerMinute,
                $"The limit for one user is {options.RefreshesPerMinute} refreshes per minute. Wait for the time in Retry-After.",
                wait
            );
        }
        await (usage with { RefreshesEmptyAt = emptyAt }).SaveAsync(records, caller.UserId, cancellationToken);
        return await WithPageAsync(item with { UpdatedAt = unit.Now }, cancellationToken);
    }

    /// <summary>
    /// Returns the caller's mark on an item with the new quantity. The caller of this method stores it in the marks of the item's list.
    /// </summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.Forbidden"/>: the caller may not mark. <see cref="ErrorCode.Conflict"/>: others have already marked too many.
    /// </exception>
    public async ValueTask<MarkDocument> MarkAsync(string itemId, int quantity, MarkDocument? master, CancellationToken cancellationToken)
    {
        var (item, _, role, _) = await RequireItemAsync(itemId, cancellationToken);
        // Check the permission before any look-up on which the answer could depend.
        RequireMayMark(role);
        WireText.Quantity(quantity);
        var id = MarkDocument.IdOf(item.Id, caller.UserId);
        var others = (await MarksOnAsync(item, cancellationToken))
            .Select(WishlistJson.Read<MarkDocument>)
            .Where(mark => mark.Id != id)
            .Sum(mark => mark.Quantity);
        if (others + quantity > item.Quantity)
        {
            throw new DunlinException(
                ErrorCode.Conflict,
                $"'quantity' is too high: the item has {item.Quantity} pieces, and others have marked {others}.",
                "quantity"
            )
            {
                Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["available"] = Math.Max(0, item.Quantity - others),
                },
            };
        }
        return new MarkDocument(id, item.Id, quantity)
        {
            WishlistId = item.WishlistId,
            UserId = caller.UserId,
            UserName = caller.Name,
            CreatedAt = master?.CreatedAt ?? unit.Now,
            UpdatedAt = unit.Now,
        };
    }

    public static void RequireMayMark(WishlistRole role)
    {
        if (role != WishlistRole.Mark)
            throw new DunlinException(
                ErrorCode.Forbidden,
                role == WishlistRole.Owner ? "You cannot mark items of your own list." : "You may view this list, but not mark its items."
            );
    }

    /// <summary>Ends a user's membership and deletes the user's marks.</summary>
    public async ValueTask<bool> EndMembershipAsync(WishlistDocument list, string userId, CancellationToken cancellationToken)
    {
        if (!list.Members.Any(member => member.UserId == userId))
            return false;
        foreach (var row in await records.ListAsync(MarksOf(list.Id), documents.KeyOf(MarkCollection, ""), cancellationToken))
        {
            if (WishlistJson.Read<MarkDocument>(row).UserId == userId)
                await records.DeleteAsync(MarksOf(list.Id), row.Key, cancellationToken);
        }
        await records.RevokeAsync(MarksOf(list.Id), userId, cancellationToken);
        await records.RevokeAsync(List(list.Id), userId, cancellationToken);
        await PutAsync(
            list with
            {
                Members = [.. list.Members.Where(member => member.UserId != userId)],
                UpdatedAt = unit.Now,
            },
            cancellationToken
        );
        return true;
    }

    public ValueTask<RecordRow> PutAsync(WishlistDocument list, CancellationToken cancellationToken) =>
        records.PutAsync(List(list.Id), documents.KeyOf(ListCollection, list.Id), list, cancellationToken: cancellationToken);

    public ValueTask<RecordRow> PutAsync(ItemDocument item, CancellationToken cancellationToken) =>
        records.PutAsync(List(item.WishlistId), documents.KeyOf(ItemCollection, item.Id), item, cancellationToken: cancellationToken);

    public ValueTask<RecordRow> PutAsync(MarkDocument mark, CancellationToken cancellationToken) =>
        records.PutAsync(MarksOf(mark.WishlistId), documents.KeyOf(MarkCollection, mark.Id), mark, cancellationToken: cancellationToken);

    public ValueTask<bool> DeleteItemAsync(ItemDocument item, CancellationToken cancellationToken) =>
        records.DeleteAsync(List(item.WishlistId), documents.KeyOf(ItemCollection, item.Id), cancellationToken);

    public ValueTask<bool> DeleteListAsync(string listId, CancellationToken cancellationToken) =>
        records.DeleteAsync(List(listId), documents.KeyOf(ListCollection, listId), cancellationToken);

    public ValueTask<bool> DeleteMarkAsync(string listId, string markId, CancellationToken cancellationToken) =>
        records.DeleteAsync(MarksOf(listId), documents.KeyOf(MarkCollection, markId), cancellationToken);

    public async ValueTask<MarkDocument?> FindMarkAsync(string listId, string markId, CancellationToken cancellationToken) =>
        await records.FindAsync<MarkDocument>(MarksOf(listId), documents.KeyOf(MarkCollection, markId), cancellationToken);

    /// <summary>Announces the changes. Call it last in a unit of work that does not come from a push.</summary>
    public ValueTask AnnounceAsync(CancellationToken cancellationToken) =>
        documents.AnnounceAsync(unit, records, caller.AsOrigin(), cancellationToken);

    public static WishlistRole RoleOf(WishlistDocument list, string userId) =>
        list.OwnerId == userId ? WishlistRole.Owner
        : list.Members.Any(member => member.UserId == userId && member.Role == Shares.MarkRole) ? WishlistRole.Mark
        : WishlistRole.View;

    private async ValueTask<IReadOnlyList<RecordRow>> MarksOnAsync(ItemDocument item, CancellationToken cancellationToken) =>
        await records.ListAsync(
            MarksOf(item.WishlistId),
            documents.KeyOf(MarkCollection, MarkDocument.IdOf(item.Id, "")),
            cancellationToken
        );

    private async ValueTask<ItemDocument> WithPageAsync(ItemDocument item, CancellationToken cancellationToken)
    {
        item = ItemFields.WithoutPage(item);
        if (item.SourceUrl is null)
        {
            await ResolveQueue.CancelAsync(unit, item.Id, cancellationToken);
            return item;
        }
        await ResolveQueue.EnqueueAsync(unit, records, item, caller.UserId, options, cancellationToken);
        return item with { Status = ItemStatus.Pending };
    }

    /// <summary>Throws if a member more would exceed a limit.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.TooLarge"/>: the list has too many members, or the caller has joined too many lists.
    /// </exception>
    public async ValueTask RequireRoomForMemberAsync(WishlistDocument list, CancellationToken cancellationToken)
    {
        if (list.Members.Count >= options.MaxMembers)
            throw WishlistOptions.Reached(options.MaxMembers, $"The limit for one list is {options.MaxMembers} members.");
        if (await CountListsAsync(isOwn: false, cancellationToken) >= options.MaxJoinedLists)
            throw WishlistOptions.Reached(
                options.MaxJoinedLists,
                $"The limit for one user is {options.MaxJoinedLists} joined lists. Leave one first."
            );
    }

    private async ValueTask CountNewListAsync(CancellationToken cancellationToken)
    {
        var usage = await Usage.OfAsync(records, caller.UserId, cancellationToken);
        var (emptyAt, wait) = Usage.Add(
            usage.ListsEmptyAt,
            unit.Now,
            TimeSpan.FromDays(1) / options.NewListsPerDay,
            options.NewListsPerDay - 1
        );
        if (wait > TimeSpan.Zero)
        {
            throw WishlistOptions.TooFast(
                options.NewListsPerDay,
                $"The limit for one user is {options.NewListsPerDay} new lists per day. Wait for the time in Retry-After.",
                wait
            );
        }
        await (usage with { ListsEmptyAt = emptyAt }).SaveAsync(records, caller.UserId, cancellationToken);
    }

    private async ValueTask<int> CountListsAsync(bool isOwn, CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var access in await unit.RecordTables().Access.ListByUserAsync(caller.UserId, cancellationToken))
        {
            if (
                access.IsGranted
                && ListIdOf(access.Space) is { } listId
                && await records.FindAsync<WishlistDocument>(access.Space, documents.KeyOf(ListCollection, listId), cancellationToken)
                    is { } list
                && list.OwnerId == caller.UserId == isOwn
            )
            {
                count++;
            }
        }
        return count;
    }
}
