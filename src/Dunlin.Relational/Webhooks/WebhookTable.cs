using System.Text.Json;
using Dunlin.Relational.Sql;
using Dunlin.Webhooks;

namespace Dunlin.Relational.Webhooks;

/// <summary>The endpoints and deliveries of one scope. A unit of work holds the lock of the writer, so the rows cannot change concurrently.
/// Not thread-safe.</summary>
/// <param name="session">Returns the session. Throws after the end of the scope.</param>
/// <param name="isWritable">Whether the scope is a unit of work.</param>
internal sealed class WebhookTable(Func<ISqlSession> session, bool isWritable) : IWebhookTable
{
    public ValueTask<WebhookRow?> FindAsync(string id, CancellationToken cancellationToken) =>
        session().Call("webhook_find").Text(id).FindAsync(static row => WebhookRow.Decode(row.Text(0)), cancellationToken);

    public ValueTask<IReadOnlyList<WebhookRow>> ListAsync(CancellationToken cancellationToken) =>
        session().Call("webhook_list").ListAsync(static row => WebhookRow.Decode(row.Text(0)), cancellationToken);

    public async ValueTask SaveAsync(WebhookRow row, CancellationToken cancellationToken) =>
        await Writable().Call("webhook_save").Text(row.Id).Text(row.Encode()).RunAsync(cancellationToken);

    public async ValueTask RemoveAsync(string id, CancellationToken cancellationToken)
    {
        await Writable().Call("webhook_deliveries_remove").Text(id).RunAsync(cancellationToken);
        await Writable().Call("webhook_remove").Text(id).RunAsync(cancellationToken);
    }

    public ValueTask<byte[]?> FindPayloadAsync(string id, long offset, CancellationToken cancellationToken) =>
        session().Call("webhook_payload_find").Text(id).Number(offset).FindAsync(static row => row.Bytes(0), cancellationToken);

    public ValueTask<IReadOnlyList<WebhookDelivery>> ListDeliveriesAsync(
        string id,
        WebhookDeliveryState state,
        long after,
        int limit,
        CancellationToken cancellationToken
    ) =>
        session()
            .Call("webhook_deliveries_list")
            .Text(id)
            .Number((int)state)
            .Number(after)
            .Number(limit)
            .ListAsync(ReadDelivery, cancellationToken);

    public ValueTask<long> CountAsync(string id, WebhookDeliveryState state, CancellationToken cancellationToken) =>
        session().Call("webhook_deliveries_count").Text(id).Number((int)state).FindAsync(static row => row.Number(0), cancellationToken);

    public async ValueTask AddDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellationToken) =>
        await Writable()
            .Call("webhook_delivery_add")
            .Text(delivery.Webhook)
            .Number(delivery.Offset)
            .Number((int)delivery.State)
            .Time(delivery.At)
            .Text(Encode(delivery.Facts))
            .Bytes(delivery.Payload)
            .RunAsync(cancellationToken);

    public async ValueTask UpdateDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellationToken) =>
        await Writable()
            .Call("webhook_delivery_update")
            .Text(delivery.Webhook)
            .Number(delivery.Offset)
            .Number((int)delivery.State)
            .Time(delivery.At)
            .Text(Encode(delivery.Facts))
            .RunAsync(cancellationToken);

    public async ValueTask RemoveDeliveryAsync(string id, long offset, CancellationToken cancellationToken) =>
        await Writable().Call("webhook_delivery_remove").Text(id).Number(offset).RunAsync(cancellationToken);

    public async ValueTask ForgetDeadAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        await Writable().Call("webhook_deliveries_forget").Time(before).RunAsync(cancellationToken);

    private static string Encode(WebhookFacts facts) => JsonSerializer.Serialize(facts, WebhookJson.Default.WebhookFacts);

    private static WebhookDelivery ReadDelivery(ISqlRow row) =>
        new(row.Text(0), row.Number(1))
        {
            State = (WebhookDeliveryState)row.Number(2),
            At = row.Time(3),
            Facts = JsonSerializer.Deserialize(row.Text(4), WebhookJson.Default.WebhookFacts)!,
        };

    private ISqlSession Writable() =>
        isWritable ? session() : throw new InvalidOperationException("A read scope cannot change webhooks. Use a unit of work.");
}
