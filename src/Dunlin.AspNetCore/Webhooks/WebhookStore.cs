using System.Security.Cryptography;
using Dunlin.Consumers;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Webhooks;

/// <summary>Reads and changes endpoints for administrators. Thread-safe.</summary>
internal sealed class WebhookStore(WebhookNode node, WebhookRules rules, EventConsumers groups)
{
    private const int DefaultConcurrent = 4;
    private const int PageSize = 1_000;

    /// <summary>The number of versions that an endpoint can have before they meet those of another one.</summary>
    private const long VersionsOfEndpoint = 1L << 31;

    public async Task<IReadOnlyList<WebhookView>> ListAsync(CancellationToken cancellationToken)
    {
        var rows = await node.Store.ReadAsync(static (scope, ct) => WebhookScopes.TableOf(scope).ListAsync(ct), cancellationToken);
        var views = new List<WebhookView>(rows.Count);
        foreach (var row in rows)
            views.Add(await ViewAsync(row, cancellationToken));
        return views;
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: there is no such endpoint.</exception>
    public async Task<WebhookRow> GetAsync(string id, CancellationToken cancellationToken) =>
        await node.Store.ReadAsync((scope, ct) => WebhookScopes.TableOf(scope).FindAsync(id, ct), cancellationToken) ?? throw NotFound(id);

    /// <summary>Creates an endpoint with a cursor at the head of the journal.</summary>
    /// <exception cref="DunlinException">A field is not valid, the id is taken, or there are too many endpoints.</exception>
    public async Task<WebhookRow> CreateAsync(WebhookBody body, string owner)
    {
        var wanted = new WebhookRow(body.Id ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)))
        {
            Url = body.Url,
            Patterns = body.Patterns,
            Types = body.Types ?? [],
            Description = body.Description,
            MaxPerSecond = body.MaxPerSecond ?? 0,
            MaxConcurrent = body.MaxConcurrent ?? DefaultConcurrent,
            Owner = owner,
            Secrets = [new WebhookSecret(WebhookFormat.NewSecret())],
        };
        rules.Check(wanted);
        var group = new ClaimRequest(
            WebhookWorker.GroupPrefix + wanted.Id,
            "create",
            node.Options.ClaimDuration,
            ConsumerStart.Head,
            IsAlone: true
        );
        return await ChangeAsync(
            async (unit, table, ct) =>
            {
                if (await table.FindAsync(wanted.Id, ct) is not null)
                    throw new DunlinException(ErrorCode.Conflict, $"There is a webhook with the id '{wanted.Id}'. Use another id.", "id");
                if ((await table.ListAsync(ct)).Count >= node.Options.MaxEndpoints)
                    throw new DunlinException(
                        ErrorCode.LimitReached,
                        $"There are {node.Options.MaxEndpoints} webhooks. Remove one, or raise WebhookOptions.MaxEndpoints."
                    );
                // Random: a node compares only versions, and must not take a new endpoint for a removed one with the same id.
                var row = wanted with
                {
                    CreatedAt = unit.Now,
                    Version = RandomNumberGenerator.GetInt32(int.MaxValue) * VersionsOfEndpoint,
                };
                await table.SaveAsync(row, ct);
                // The cursor begins with the endpoint, and not when a node first claims it.
                await ConsumerClaim.TableOf(unit).RemoveAsync(group.Group, ct);
                var (claim, created) = await ConsumerClaim.TryAsync(unit, group, ct);
                await claim!.ReleaseAsync(unit, created.Through, ct);
                return row;
            }
        );
    }

    public Task<WebhookRow> UpdateAsync(string id, WebhookChange body) =>
        UpdateAsync(
            id,
            (row, _) =>
            {
                var changed = row with
                {
                    Url = body.Url ?? row.Url,
                    Patterns = body.Patterns ?? row.Patterns,
                    Types = body.Types ?? row.Types,
                    Description = body.Description ?? row.Description,
                    MaxPerSecond = body.MaxPerSecond ?? row.MaxPerSecond,
                    MaxConcurrent = body.MaxConcurrent ?? row.MaxConcurrent,
                };
                rules.Check(changed);
                return changed;
            }
        );

    public Task<WebhookRow> PauseAsync(string id) =>
        UpdateAsync(id, static (row, _) => row.State == WebhookState.Active ? row with { State = WebhookState.Paused } : row);

    /// <summary>Starts the deliveries of an endpoint again, with waiting deliveries first.</summary>
    public Task<WebhookRow> ResumeAsync(string id) =>
        UpdateAsync(id, static (row, _) => row with { State = WebhookState.Active, Reason = null, FailingSince = null, Fault = null });

    /// <summary>Adds a secret. The former one signs too until its end.</summary>
    public Task<WebhookRow> RotateAsync(string id) =>
        UpdateAsync(
            id,
            (row, now) =>
                row with
                {
                    Secrets =
                    [
                        new WebhookSecret(WebhookFormat.NewSecret()),
                        row.Secrets[0] with
                        {
                            ExpiresAt = now + node.Options.RotationOverlap,
                        },
                    ],
                }
        );

    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: there is no such endpoint.</exception>
    public async Task RemoveAsync(string id) =>
        await ChangeAsync(
            async (unit, table, ct) =>
            {
                if (await table.FindAsync(id, ct) is null)
                    throw NotFound(id);
                await table.RemoveAsync(id, ct);
                await ConsumerClaim.TableOf(unit).RemoveAsync(WebhookWorker.GroupPrefix + id, ct);
                return true;
            }
        );

    public async Task<IReadOnlyList<WebhookDelivery>> ListDeliveriesAsync(
        string id,
        WebhookDeliveryState state,
        long after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await GetAsync(id, cancellationToken);
        return await node.Store.ReadAsync(
            (scope, ct) => WebhookScopes.TableOf(scope).ListDeliveriesAsync(id, state, after, limit, ct),
            cancellationToken
        );
    }

    /// <summary>Makes dead deliveries wait again, with all their attempts. Each page is a unit of work of its own, so that many
    /// deliveries do not hold up other writers. A call that ends early has redriven a part; repeat it.</summary>
    /// <returns>The number of deliveries.</returns>
    public async Task<int> RedriveAsync(string id, RedriveBody body)
    {
        var (count, after) = (0, (long?)0L);
        while (after is { } last)
        {
            (var redriven, after) = await ChangeAsync((unit, table, ct) => RedrivePageAsync(unit, table, id, body, last, ct));
            count += redriven;
        }
        return count;
    }

    /// <returns>The number of deliveries, and the offset of the last delivery of the page; null if it was the last page.</returns>
    private static async ValueTask<(int Redriven, long? After)> RedrivePageAsync(
        IUnitOfWork unit,
        IWebhookTable table,
        string id,
        RedriveBody body,
        long after,
        CancellationToken cancellationToken
    )
    {
        if (await table.FindAsync(id, cancellationToken) is not { } row)
            throw NotFound(id);
        var page = await table.ListDeliveriesAsync(id, WebhookDeliveryState.Dead, after, PageSize, cancellationToken);
        var selected = page.Where(dead => IsSelected(dead, body)).ToList();
        foreach (var dead in selected)
        {
            var waiting = dead with { State = WebhookDeliveryState.Waiting, At = unit.Now, Facts = dead.Facts with { Attempts = 0 } };
            await table.UpdateDeliveryAsync(waiting, cancellationToken);
        }
        if (selected.Count > 0)
            await table.SaveAsync(row with { Version = row.Version + 1 }, cancellationToken);
        return (selected.Count, page.Count < PageSize ? null : page[^1].Offset);
    }

    /// <summary>Sends a test message at once, without a delivery.</summary>
    public async Task<WebhookTestAnswer> TestAsync(string id, CancellationToken cancellationToken)
    {
        var row = await GetAsync(id, cancellationToken);
        var message = $"msg_test_{Guid.NewGuid():N}";
        var body = System.Text.Encoding.UTF8.GetBytes(
            $$$"""{"type":"webhook.test","timestamp":"{{{node.Clock.Now.UtcDateTime:O}}}","data":{"id":"{{{row.Id}}}"}}"""
        );
        var result = await node.Sender.SendAsync(row, message, body, cancellationToken);
        return new WebhookTestAnswer(message, result.Fault is null, result.Status, result.Fault);
    }

    public async Task<WebhookView> ViewAsync(WebhookRow row, CancellationToken cancellationToken, bool showSecret = false)
    {
        var group = await groups.FindAsync(WebhookWorker.GroupPrefix + row.Id, cancellationToken);
        var (waiting, dead) = await node.Store.ReadAsync(
            async (scope, ct) =>
            {
                var table = WebhookScopes.TableOf(scope);
                return (
                    await table.CountAsync(row.Id, WebhookDeliveryState.Waiting, ct),
                    await table.CountAsync(row.Id, WebhookDeliveryState.Dead, ct)
                );
            },
            cancellationToken
        );
        return new WebhookView(
            row.Id,
            row.Url,
            row.Patterns,
            row.Types,
            row.Description,
            row.State.ToString().ToLowerInvariant(),
            row.Reason,
            row.Owner,
            row.MaxPerSecond,
            row.MaxConcurrent,
            row.CreatedAt,
            row.FailingSince,
            row.Fault,
            waiting,
            dead,
            group?.Position.ToString(),
            group?.Lag ?? 0,
            showSecret ? row.Secrets[0].Value : null,
            row.Secrets.Count > 1 && row.Secrets[1].ExpiresAt > node.Clock.Now ? row.Secrets[1].ExpiresAt : null
        );
    }

    private static bool IsSelected(WebhookDelivery dead, RedriveBody body) =>
        (body.Messages is null || body.Messages.Contains(dead.Facts.MessageId, StringComparer.Ordinal))
        && (body.From is not { } from || dead.At >= from)
        && (body.To is not { } to || dead.At <= to);

    private async Task<WebhookRow> UpdateAsync(string id, Func<WebhookRow, DateTimeOffset, WebhookRow> change) =>
        await ChangeAsync(
            async (unit, table, ct) =>
            {
                var row = await table.FindAsync(id, ct) ?? throw NotFound(id);
                var changed = change(row, unit.Now) with { Version = row.Version + 1 };
                await table.SaveAsync(changed, ct);
                return changed;
            }
        );

    private async Task<T> ChangeAsync<T>(Func<IUnitOfWork, IWebhookTable, CancellationToken, ValueTask<T>> change)
    {
        // Not cancelled with the request: a change that has begun is completed and followed.
        var result = await node.Store.WriteAsync((unit, ct) => change(unit, WebhookScopes.TableOf(unit), ct), CancellationToken.None);
        node.Changed.Set();
        return result;
    }

    private static DunlinException NotFound(string id) =>
        new(ErrorCode.NotFound, $"There is no webhook with the id '{Problems.Excerpt.Of(id)}'.");
}
