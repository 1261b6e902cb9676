using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The code of docs/concepts/leases.md, compiled.</summary>
internal static class LeasesSnippet
{
    // <leases-in-code>
    public sealed class Importer(ILeases leases, IStore store)
    {
        public async Task RunAsync(string id, CancellationToken stop)
        {
            await using var lease = await leases.TryAcquireAsync(
                ResourceName.Of("imports", id),
                TimeSpan.FromMinutes(1),
                new LeaseSettings { AutoRenew = true },
                stop
            );
            if (lease is null)
                return; // another node runs it

            using var work = CancellationTokenSource.CreateLinkedTokenSource(stop, lease.Lost);
            var rows = await DownloadAsync(id, work.Token);
            await store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.Leases.RequireAsync(lease, ct); // a lost lease refuses the write
                    await SaveAsync(unit, rows, ct);
                },
                work.Token
            );
        }
    }

    // </leases-in-code>

    public static async Task SaveAndReleaseAsync(
        IStore store,
        LeaseClaim claim,
        EventOrigin origin,
        string text,
        CancellationToken cancellationToken
    )
    {
        // <leases-in-a-transaction>
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.Leases.RequireAsync(claim, ct);
                await SaveAsync(unit, text, ct);
                await unit.Leases.ReleaseAsync(claim, origin, ct);
            },
            cancellationToken
        );
        // </leases-in-a-transaction>
    }

    private static Task<string> DownloadAsync(string id, CancellationToken cancellationToken) =>
        Task.FromCanceled<string>(cancellationToken);

    private static Task SaveAsync(IUnitOfWork unit, string text, CancellationToken cancellationToken) =>
        Task.FromCanceled(cancellationToken);
}
