using Dunlin.Apps.Wishlists.Items;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.RxDb;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Reads the page of an item: <c>pending</c> → <c>resolving</c> → <c>resolved</c> or <c>failed</c>. Item and job change in the same unit of
/// work, so they agree after a crash.
/// </summary>
internal sealed class ResolveHandler(PageFetcher fetcher, PageReader reader, RxDocuments documents) : IJobHandler<ResolveOrder>
{
    public async ValueTask RunAsync(JobRun<ResolveOrder> run, CancellationToken cancellationToken)
    {
        await run.WriteAsync(
            (unit, ct) =>
                ChangeAsync(unit, run.Value, static (item, _) => item with { Status = ItemStatus.Resolving }, isOutcome: false, ct),
            cancellationToken
        );
        PageFacts facts;
        try
        {
            facts = reader.Read(await fetcher.FetchAsync(new Uri(run.Value.Url), cancellationToken));
        }
        catch (FetchException fault)
        {
            throw new JobFailedException(CodeOf(fault.Fault), isFinal: !fault.IsTransient, fault);
        }
        if (facts is { Title: null, Price: null, Image: null })
            throw new JobFailedException("nothing_found", isFinal: true);
        await run.CompleteAsync(
            async (unit, ct) =>
            {
                await ResolveQueue.SettleAsync(unit, run.Job.FairnessKey, ct);
                await ChangeAsync(unit, run.Value, (item, now) => With(item, facts, now), isOutcome: true, ct);
            },
            cancellationToken
        );
    }

    public async ValueTask OnFailedAsync(JobFailure<ResolveOrder> failure, CancellationToken cancellationToken)
    {
        if (failure.IsFinal)
            await ResolveQueue.SettleAsync(failure.Unit, failure.Job.FairnessKey, cancellationToken);
        if (failure.Value is not { } order)
            return;
        // Users receive only codes of this system. Exception messages may contain internals.
        var code = failure.Exception is JobFailedException ? failure.Job.Error : "internal";
        await ChangeAsync(
            failure.Unit,
            order,
            (item, _) => item with { Status = failure.IsFinal ? ItemStatus.Failed : ItemStatus.Pending, Error = code },
            isOutcome: failure.IsFinal,
            cancellationToken
        );
    }

    private async ValueTask ChangeAsync(
        IUnitOfWork unit,
        ResolveOrder order,
        Func<ItemDocument, DateTimeOffset, ItemDocument> change,
        bool isOutcome,
        CancellationToken cancellationToken
    )
    {
        var (records, space, key) = (
            unit.Records(),
            WishlistSpaces.List(order.WishlistId),
            documents.KeyOf(WishlistSpaces.ItemCollection, order.ItemId)
        );
        // The item was deleted or its address changed. Both also cancel or replace the job.
        if (await records.FindAsync<ItemDocument>(space, key, cancellationToken) is not { } item || item.SourceUrl != order.Url)
            return;
        item = change(item, unit.Now) with { UpdatedAt = unit.Now };
        await records.PutAsync(space, key, item, cancellationToken: cancellationToken);
        await documents.AnnounceAsync(unit, records, null, cancellationToken);
        if (isOutcome)
            await documents.TellAsync(
                unit,
                space,
                "items:resolved",
                new ResolvedHint(item.Id, item.WishlistId, item.Status, item.Title),
                null,
                cancellationToken
            );
    }

    private static ItemDocument With(ItemDocument item, PageFacts facts, DateTimeOffset now) =>
        item with
        {
            Status = ItemStatus.Resolved,
            Title = item.TitleEdited ? item.Title : facts.Title?.Value ?? item.Title,
            Price = item.PriceEdited ? item.Price : facts.Price?.Value.Amount,
            Currency = item.PriceEdited ? item.Currency : facts.Price?.Value.Currency,
            ImageUrl = item.ImageEdited ? item.ImageUrl : facts.Image?.Value,
            Error = null,
            ResolvedAt = now,
        };

    private static string CodeOf(FetchFault fault) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString());

    private sealed record ResolvedHint(
        [property: System.Text.Json.Serialization.JsonPropertyName("id")] string Id,
        [property: System.Text.Json.Serialization.JsonPropertyName("wishlist_id")] string WishlistId,
        [property: System.Text.Json.Serialization.JsonPropertyName("status")] string Status,
        [property: System.Text.Json.Serialization.JsonPropertyName("title")] string Title
    );
}
