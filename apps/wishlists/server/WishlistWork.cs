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

/// <summary>What a user may do in a list.</summary>
internal enum WishlistRole
{
    View,
    Mark,
    Owner,
}

/// <summary>
/// The rules of wishlists inside one unit of work, for what comes by REST and what comes by push alike. Unknown lists and those
/// of others are refused in the same way. Not for concurrent use.
/// </summary>
internal sealed class WishlistWork(IUnitOfWork unit, RecordWriter records, Caller caller, RxDocuments documents, WishlistOptions options)
{
    public IUnitOfWork Unit => unit;

    public RecordWriter Records => records;

    public Caller Caller => caller;

    public WishlistOptions Options => options;

    /// <summary>A list that the caller may see, and what the caller may do in it.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>.</exception>
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
        throw new DunlinException(ErrorCode.NotFound, "There is no such list for you.");
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>, <see cref="ErrorCode.Forbidden"/>.</exception>
    public async ValueTask<WishlistDocument> RequireOwnListAsync(string listId, CancellationToken cancellationToken)
    {
        var (list, role) = await RequireListAsync(listId, cancellationToken);
        return role == WishlistRole.Owner ? list : throw new DunlinException(ErrorCode.Forbidden, "Only the owner of a list may do this.");
    }

    /// <summary>An item that the caller may see, its list, and the version of its record.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>.</exception>
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
        throw new DunlinException(ErrorCode.NotFound, "There is no such item for you.");
    }

    public async ValueTask<(ItemDocument Item, long Version)> RequireOwnItemAsync(string itemId, CancellationToken cancellationToken)
    {
        var (item, _, role, version) = await RequireItemAsync(itemId, cancellationToken);
        return role == WishlistRole.Owner
            ? (item, version)
            : throw new DunlinException(ErrorCode.Forbidden, "Only the owner of a list may do this.");
    }

    /// <summary>An item by its id alone, for telling whether the id is free. Not to be shown to who may not see it.</summary>
    public async ValueTask<ItemDocument?> FindAnyItemAsync(string itemId, CancellationToken cancellationToken) =>
        await documents.FindAsync(unit, ItemCollection, itemId, cancellationToken) is { } row ? WishlistJson.Read<ItemDocument>(row) : null;

    /// <summary>Makes the caller the owner of a new list; it is yet to be put.</summary>
    public async ValueTask<WishlistDocument> BeginListAsync(WishlistDocument wanted, CancellationToken cancellationToken)
    {
        var space = List(WireText.Id(wanted.Id));
        // A deleted list keeps its id for ever: its readers must not become readers of another one.
        if ((await records.MembersAsync(space, cancellationToken)).Count > 0)
            throw new DunlinException(ErrorCode.Conflict, "There is, or was, a list with this id.", "id");
        if (await CountListsAsync(isOwn: true, cancellationToken) >= options.MaxLists)
            throw WishlistOptions.Reached(options.MaxLists, $"You have {options.MaxLists} lists, which is the limit. Delete some.");
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

    /// <summary>Takes away all that a list holds, but for the list itself. Its readers keep their access, to nothing: so the
    /// deletions reach them.</summary>
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
        await Shares.RevokeAllAsync(records, listId, cancellationToken);
    }

    public async ValueTask<ItemDocument> BeginItemAsync(ItemDocument wanted, CancellationToken cancellationToken)
    {
        await RequireOwnListAsync(wanted.WishlistId, cancellationToken);
        if (
            (await records.ListAsync(List(wanted.WishlistId), documents.KeyOf(ItemCollection, ""), cancellationToken)).Count
            >= options.MaxItems
        )
            throw WishlistOptions.Reached(
                options.MaxItems,
                $"The list has {options.MaxItems} items, which is the limit. Use another list."
            );
        var url = WireText.Url(wanted.SourceUrl);
        var title = string.IsNullOrWhiteSpace(wanted.Title) && url is not null ? WireText.HostOf(url) : WireText.Title(wanted.Title);
        var item = new ItemDocument(WireText.Id(wanted.Id), wanted.WishlistId, title)
        {
            Description = WireText.Description(wanted.Description),
            SourceUrl = url,
            Quantity = WireText.Quantity(wanted.Quantity),
            // A client that adds an address while offline calls it by its host, as the server does.
            TitleEdited = url is null || !WireText.IsHost(title, url),
            CreatedAt = unit.Now,
            UpdatedAt = unit.Now,
        };
        return await WithPageAsync(item, cancellationToken);
    }

    public async ValueTask<ItemDocument> ChangeItemAsync(ItemDocument master, ItemDocument wanted, CancellationToken cancellationToken)
    {
        var url = WireText.Url(wanted.SourceUrl);
        var title = WireText.Title(wanted.Title);
        var item = master with
        {
            Title = title,
            TitleEdited = master.TitleEdited || title != master.Title,
            Description = WireText.Description(wanted.Description),
            SourceUrl = url,
            // Also to less than has been marked: anything else would tell the owner of the marks.
            Quantity = WireText.Quantity(wanted.Quantity),
            UpdatedAt = unit.Now,
        };
        return url == master.SourceUrl ? item : await WithPageAsync(item, cancellationToken);
    }

    /// <summary>What belongs to an item goes with it.</summary>
    public async ValueTask EndItemAsync(ItemDocument item, CancellationToken cancellationToken)
    {
        await ResolveQueue.CancelAsync(unit, item.Id, cancellationToken);
        foreach (var row in await MarksOnAsync(item, cancellationToken))
            await records.DeleteAsync(MarksOf(item.WishlistId), row.Key, cancellationToken);
    }

    /// <summary>Has the page of an item read again.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Conflict"/> where it has no page, or is being read;
    /// <see cref="ErrorCode.TooManyRequests"/>.</exception>
    public async ValueTask<ItemDocument> RetryAsync(ItemDocument item, CancellationToken cancellationToken)
    {
        if (item.Status is not (ItemStatus.Failed or ItemStatus.Resolved) || item.SourceUrl is null)
            throw new DunlinException(
                ErrorCode.Conflict,
                item.SourceUrl is null ? "The item has no page." : "The page is being read already."
            );
        var usage = await Usage.OfAsync(records, caller.UserId, cancellationToken);
        var interval = TimeSpan.FromMinutes(1) / options.RefreshesPerMinute;
        var (emptyAt, wait) = Usage.Add(usage.RefreshesEmptyAt, unit.Now, interval, options.RefreshesPerMinute - 1);
        if (wait > TimeSpan.Zero)
        {
            throw WishlistOptions.TooFast(
                options.RefreshesPerMinute,
                $"You may have {options.RefreshesPerMinute} pages a minute read again. Wait as long as Retry-After says.",
                wait
            );
        }
        await (usage with { RefreshesEmptyAt = emptyAt }).SaveAsync(records, caller.UserId, cancellationToken);
        return await WithPageAsync(item with { UpdatedAt = unit.Now }, cancellationToken);
    }

    /// <summary>The caller's mark on an item, as it is to be; it is yet to be put into the marks of the item's list.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.Forbidden"/> for who may not mark; <see cref="ErrorCode.Conflict"/> where
    /// others have marked too many already.</exception>
    public async ValueTask<MarkDocument> MarkAsync(string itemId, int quantity, MarkDocument? master, CancellationToken cancellationToken)
    {
        var (item, _, role, _) = await RequireItemAsync(itemId, cancellationToken);
        // Before anything is looked up that an answer could depend on.
        RequireMayMark(role);
        WireText.Quantity(quantity);
        var id = MarkDocument.IdOf(item.Id, caller.UserId);
        var others = (await MarksOnAsync(item, cancellationToken))
            .Select(WishlistJson.Read<MarkDocument>)
            .Where(mark => mark.Id != id)
            .Sum(mark => mark.Quantity);
        if (others + quantity > item.Quantity)
        {
            throw new DunlinException(ErrorCode.Conflict, $"{item.Quantity} are wanted and others give {others}.", "quantity")
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
                role == WishlistRole.Owner ? "Marks are a surprise for you." : "You may look at this list only."
            );
    }

    /// <summary>Ends a user's membership, with what that user has marked.</summary>
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

    /// <summary>Tells everybody concerned. The last thing in a unit of work that does not come by push.</summary>
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

    // What an earlier page said goes with it.
    private async ValueTask<ItemDocument> WithPageAsync(ItemDocument item, CancellationToken cancellationToken)
    {
        item = item with { Price = null, Currency = null, ImageUrl = null, Error = null, ResolvedAt = null, Status = ItemStatus.Manual };
        if (item.SourceUrl is null)
        {
            await ResolveQueue.CancelAsync(unit, item.Id, cancellationToken);
            return item;
        }
        await ResolveQueue.EnqueueAsync(unit, records, item, caller.UserId, options, cancellationToken);
        return item with { Status = ItemStatus.Pending };
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>: the list has too many members, or the caller has joined too
    /// many lists.</exception>
    public async ValueTask RequireRoomForMemberAsync(WishlistDocument list, CancellationToken cancellationToken)
    {
        if (list.Members.Count >= options.MaxMembers)
            throw WishlistOptions.Reached(options.MaxMembers, $"The list has {options.MaxMembers} members, which is the limit.");
        if (await CountListsAsync(isOwn: false, cancellationToken) >= options.MaxJoinedLists)
            throw WishlistOptions.Reached(
                options.MaxJoinedLists,
                $"You have joined {options.MaxJoinedLists} lists, which is the limit. Leave some."
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
                $"You may make {options.NewListsPerDay} lists a day. Wait as long as Retry-After says.",
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
