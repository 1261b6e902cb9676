using System.Collections.Immutable;
using Dunlin.Webhooks;

namespace Dunlin.InMemory;

/// <summary>All endpoints and deliveries of the in-memory store. Immutable.</summary>
internal sealed record WebhookRows(
    ImmutableSortedDictionary<string, WebhookRow> ById,
    ImmutableSortedDictionary<(string Id, long Offset), WebhookDelivery> Deliveries
)
{
    public static WebhookRows Empty { get; } =
        new(
            ImmutableSortedDictionary.Create<string, WebhookRow>(StringComparer.Ordinal),
            ImmutableSortedDictionary.Create<(string Id, long Offset), WebhookDelivery>(
                Comparer<(string Id, long Offset)>.Create(
                    static (a, b) => string.CompareOrdinal(a.Id, b.Id) is not 0 and var order ? order : a.Offset.CompareTo(b.Offset)
                )
            )
        );
}

/// <summary>The endpoints and deliveries of one scope in memory.</summary>
/// <param name="get">Returns the current rows; throws if the scope has ended.</param>
/// <param name="set">Replaces the rows; null in a read scope.</param>
internal sealed class InMemoryWebhookTable(Func<WebhookRows> get, Action<WebhookRows>? set) : IWebhookTable
{
    public ValueTask<WebhookRow?> FindAsync(string id, CancellationToken cancellationToken) => new(get().ById.GetValueOrDefault(id));

    public ValueTask<IReadOnlyList<WebhookRow>> ListAsync(CancellationToken cancellationToken) => new([.. get().ById.Values]);

    public ValueTask SaveAsync(WebhookRow row, CancellationToken cancellationToken) =>
        Set(get() with { ById = get().ById.SetItem(row.Id, row) });

    public ValueTask RemoveAsync(string id, CancellationToken cancellationToken) =>
        Set(new WebhookRows(get().ById.Remove(id), get().Deliveries.RemoveRange(get().Deliveries.Keys.Where(key => key.Id == id))));

    public ValueTask<byte[]?> FindPayloadAsync(string id, long offset, CancellationToken cancellationToken) =>
        new(get().Deliveries.GetValueOrDefault((id, offset))?.Payload.ToArray());

    public ValueTask<IReadOnlyList<WebhookDelivery>> ListDeliveriesAsync(
        string id,
        WebhookDeliveryState state,
        long after,
        int limit,
        CancellationToken cancellationToken
    ) => new([.. Of(id, state).Where(row => row.Offset > after).Take(limit).Select(static row => row with { Payload = default })]);

    public ValueTask<long> CountAsync(string id, WebhookDeliveryState state, CancellationToken cancellationToken) =>
        new(Of(id, state).LongCount());

    public ValueTask AddDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellationToken) =>
        get().Deliveries.ContainsKey((delivery.Webhook, delivery.Offset)) ? default : Put(delivery);

    public ValueTask UpdateDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellationToken) =>
        get().Deliveries.TryGetValue((delivery.Webhook, delivery.Offset), out var row)
            ? Put(delivery with { Payload = row.Payload })
            : default;

    public ValueTask RemoveDeliveryAsync(string id, long offset, CancellationToken cancellationToken) =>
        Set(get() with { Deliveries = get().Deliveries.Remove((id, offset)) });

    public ValueTask ForgetDeadAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        Set(
            get() with
            {
                Deliveries = get()
                    .Deliveries.RemoveRange(
                        get()
                            .Deliveries.Where(pair => pair.Value.State == WebhookDeliveryState.Dead && pair.Value.At < before)
                            .Select(static pair => pair.Key)
                    ),
            }
        );

    private IEnumerable<WebhookDelivery> Of(string id, WebhookDeliveryState state) =>
        get().Deliveries.Values.Where(row => row.Webhook == id && row.State == state);

    private ValueTask Put(WebhookDelivery delivery) =>
        Set(get() with { Deliveries = get().Deliveries.SetItem((delivery.Webhook, delivery.Offset), delivery) });

    private ValueTask Set(WebhookRows rows)
    {
        (set ?? throw new InvalidOperationException("A read scope cannot change webhooks. Use a unit of work."))(rows);
        return default;
    }
}
