using Dunlin.Leases;
using Dunlin.Postgres.Schema;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Postgres.Leases;

/// <summary>
/// Ends leases that have run out and that nobody ends: a node reminds itself of the leases that it granted, and may be gone
/// when they run out. Every node looks, a little apart; ending a lease that another has ended changes nothing.
/// </summary>
internal sealed partial class LeaseSweeper(PostgresStore store, LeaseService leases, TimeProvider time, ILogger<LeaseSweeper> logger) : BackgroundService
{
    /// <summary>How late an expiry may be announced where the node that granted it is gone.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Leases ended in one go; the rest at the next.</summary>
    private const int MaxLeases = 200;

    private static readonly SqlText Due = new("lease_due");

    internal async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var due = await store.ReadAsync(
            async (scope, ct) =>
            {
                // One moment late, so that the node that granted it comes first.
                await using var command = ((Npgsql.NpgsqlConnection)scope.Connection).Command(Due, Statements.Time(scope.Now - Interval / 2), Statements.Number(MaxLeases));
                await using var row = await command.ExecuteReaderAsync(ct);
                var resources = new List<ResourceName>();
                while (await row.ReadAsync(ct))
                    resources.Add(ResourceName.Parse(row.GetString(0)));
                return resources;
            },
            cancellationToken);
        foreach (var resource in due)
            await leases.SettleAsync(resource, cancellationToken);
        return due.Count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval * (0.75 + (Random.Shared.NextDouble() / 2)), time, stoppingToken).ContinueWith(static _ => { }, TaskScheduler.Default);
            try
            {
                if (!stoppingToken.IsCancellationRequested)
                    await SweepAsync(stoppingToken);
            }
#pragma warning disable CA1031 // tried again in a moment
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(2150, LogLevel.Warning, "Leases that have run out could not be ended; trying again.")]
    private partial void LogFailed(Exception exception);
}
