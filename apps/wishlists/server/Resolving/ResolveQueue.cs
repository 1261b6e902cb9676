using Dunlin.Apps.Wishlists.Items;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Outbound;
using Dunlin.Records;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>The payload of a job that reads an item's page.</summary>
internal sealed record ResolveOrder(string ItemId, string WishlistId, string Url);

/// <summary>
/// Enqueues pages to read, in the unit of work of the causing change. Users take turns, and neither one user nor one site can occupy all
/// workers.
/// </summary>
internal static class ResolveQueue
{
    public const string JobType = "wishlists.resolve";

    /// <summary>Workers mostly wait for sites. The limits keep workers free while seven users have sites that do not answer.</summary>
    public static void Configure(JobOptions options)
    {
        options.MaxParallel = 16;
        options.MaxParallelPerFairnessKey = 2;
        options.MaxParallelPerConcurrencyKey = 4;
    }

    /// <summary>Enqueues the page of an item.</summary>
    /// <exception cref="Diagnostics.DunlinException">
    /// <see cref="Diagnostics.ErrorCode.TooManyRequests"/>: too many of the user's pages are waiting.
    /// </exception>
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
                $"The limit for one user is {options.MaxWaitingPages} waiting pages. Try again later.",
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
                    // Replace the job, so that a run for a former address of the item cannot write its result.
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

    /// <summary>
    /// Decrements the user's count of waiting pages. Call it in the unit of work that ends the job, so that the count matches the jobs.
    /// </summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="userId">The fairness key of the job: the user of the page; null for a job that was not counted.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async ValueTask SettleAsync(IUnitOfWork unit, string? userId, CancellationToken cancellationToken)
    {
        var records = unit.Records();
        if (userId is not null && await Usage.OfAsync(records, userId, cancellationToken) is { Waiting: > 0 } usage)
            await (usage with { Waiting = usage.Waiting - 1 }).SaveAsync(records, userId, cancellationToken);
    }

    private static string? CountedFor(JobInfo? job) => job is { IsFinished: false } ? job.FairnessKey : null;

    // The end of a host name identifies its owner better than the beginning.
    private static string SiteOf(string url)
    {
        var host = PageAddress.Parse(url) is { } page ? OutboundRules.HostOf(page) : "";
        return host.Length == 0 ? "-"
            : host.Length > RecordLimits.MaxKeyLength ? host[^RecordLimits.MaxKeyLength..]
            : host;
    }
}
