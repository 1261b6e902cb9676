namespace Dunlin.Webhooks;

/// <summary>The endpoints and their deliveries in one unit of work or read scope. Not thread-safe.</summary>
/// <remarks>An implementation must guarantee that rows commit with the unit of work, and that units of work with rows are
/// serialisable.</remarks>
internal interface IWebhookTable
{
    /// <summary>Returns an endpoint; null if there is none.</summary>
    ValueTask<WebhookRow?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Returns all endpoints, by id.</summary>
    ValueTask<IReadOnlyList<WebhookRow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Inserts or replaces an endpoint.</summary>
    ValueTask SaveAsync(WebhookRow row, CancellationToken cancellationToken);

    /// <summary>Removes an endpoint and its deliveries.</summary>
    ValueTask RemoveAsync(string id, CancellationToken cancellationToken);

    /// <summary>Returns the body of a delivery; null if there is none.</summary>
    ValueTask<byte[]?> FindPayloadAsync(string id, long offset, CancellationToken cancellationToken);

    /// <summary>Returns deliveries of an endpoint after an offset, without bodies, by offset.</summary>
    ValueTask<IReadOnlyList<WebhookDelivery>> ListDeliveriesAsync(
        string id,
        WebhookDeliveryState state,
        long after,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>Counts the deliveries of an endpoint.</summary>
    ValueTask<long> CountAsync(string id, WebhookDeliveryState state, CancellationToken cancellationToken);

    /// <summary>Inserts a delivery. Keeps an existing one.</summary>
    ValueTask AddDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellationToken);

    /// <summary>Replaces the state of a delivery, and keeps its body.</summary>
    ValueTask UpdateDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellationToken);

    /// <summary>Removes a delivery.</summary>
    ValueTask RemoveDeliveryAsync(string id, long offset, CancellationToken cancellationToken);

    /// <summary>Removes deliveries of all endpoints that are dead since before a time.</summary>
    ValueTask ForgetDeadAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>Gives access to the endpoints of a unit of work or read scope. Implemented by stores that have webhooks.</summary>
internal interface IWebhookScope
{
    IWebhookTable Webhooks { get; }
}

/// <summary>Finds the table of a scope.</summary>
internal static class WebhookScopes
{
    /// <exception cref="NotSupportedException">The store has no webhooks.</exception>
    public static IWebhookTable TableOf(object scope) =>
        scope is IWebhookScope webhooks
            ? webhooks.Webhooks
            : throw new NotSupportedException($"{scope.GetType().Name} has no webhooks: this store does not support them.");
}
