using Dunlin.Apps.Wishlists.Items;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Records;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>What a job of reading an item's page carries.</summary>
internal sealed record ResolveOrder(string ItemId, string WishlistId, string Url);

/// <summary>Asks for pages to be read, in the unit of work of the change that wants it. Users take turns, and neither a user nor a
/// site can use all workers.</summary>
internal static class ResolveQueue
{
    public const string JobType = "wishlists.resolve";

    /// <summary>Workers mostly wait for sites. The limits leave room for others beside seven users whose sites do not answer.</summary>
    public static void Configure(JobOptions options)
    {
        options.MaxParallel = 16;
        options.MaxParallelPerFairnessKey = 2;
        options.MaxParallelPerConcurrencyKey = 4;
    }

    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.TooManyRequests"/>: too many of the user's pages
    /// wait.</exception>
    public static async ValueTask EnqueueAsync(
        IUnitOfWork unit,
        RecordWriter records,
        ItemDocument item,
        string userId,
        WishlistOptions options,
        CancellationToken cancellationToken
    )
    {
        var usage = await Usage.OfAsync(records, userId, cancellationToken);
        var interval = TimeSpan.FromMinutes(1) / options.PagesPerMinute;
        var (emptyAt, wait) = Usage.Add(usage.EmptyAt, unit.Now, interval, options.PageBurst);
        var isNew = CountedFor(await unit.Jobs().FindAsync(JobType, item.Id, cancellationToken)) is null;
        if ((isNew && usage.Waiting >= options.MaxWaitingPages) || wait > interval * options.MaxWaitingPages)
        {
            throw WishlistOptions.TooFast(
                options.MaxWaitingPages,
                $"{options.MaxWaitingPages} of your pages wait to be read, which is the limit. Try again later.",
                TimeSpan.FromMinutes(1)
            );
        }
        await (usage with { EmptyAt = emptyAt, Waiting = usage.Waiting + (isNew ? 1 : 0) }).SaveAsync(records, userId, cancellationToken);
        await unit.Jobs()
            .EnqueueAsync(
                JobType,
                new ResolveOrder(item.Id, item.WishlistId, item.SourceUrl!),
                new JobRequest
                {
                    Id = item.Id,
                    // Replaced, so that a run for an address that is no longer the item's can write nothing.
                    Replace = true,
                    DueAt = unit.Now + wait,
                    FairnessKey = userId,
                    ConcurrencyKey = SiteOf(item.SourceUrl!),
                },
                cancellationToken
            );
    }

    public static async ValueTask<bool> CancelAsync(IUnitOfWork unit, string itemId, CancellationToken cancellationToken)
    {
        await SettleAsync(unit, CountedFor(await unit.Jobs().FindAsync(JobType, itemId, cancellationToken)), cancellationToken);
        return await unit.Jobs().CancelAsync(JobType, itemId, cancellationToken);
    }

    /// <summary>A page no longer waits. In the unit of work that ends its job, so that the count follows the jobs.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="userId">Whose page it was: the fairness key of the job; null for a job that was not counted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async ValueTask SettleAsync(IUnitOfWork unit, string? userId, CancellationToken cancellationToken)
    {
        var records = unit.Records();
        if (userId is not null && await Usage.OfAsync(records, userId, cancellationToken) is { Waiting: > 0 } usage)
            await (usage with { Waiting = usage.Waiting - 1 }).SaveAsync(records, userId, cancellationToken);
    }

    private static string? CountedFor(Job? job) => job is { IsFinished: false } ? job.FairnessKey : null;

    // The end of a name says more of its owner than the beginning.
    private static string SiteOf(string url)
    {
        var host = PageAddress.Parse(url) is { } page ? PageAddress.HostOf(page) : "";
        return host.Length == 0 ? "-"
            : host.Length > RecordLimits.MaxKeyLength ? host[^RecordLimits.MaxKeyLength..]
            : host;
    }
}
