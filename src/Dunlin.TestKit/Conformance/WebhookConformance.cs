using Dunlin.Journal;
using Dunlin.Webhooks;

namespace Dunlin.TestKit.Conformance;

/// <summary>Tests the endpoints and deliveries of webhooks of a store.</summary>
public abstract class WebhookConformance : ConformanceSuite
{
    /// <summary>Checks the rows of endpoints, and that a removal takes the deliveries along.</summary>
    [Fact]
    public async Task An_endpoint_is_removed_with_its_deliveries()
    {
        var row = Row("b") with
        {
            Description = "\u00e9 \ud83d\ude00",
            State = WebhookState.Disabled,
            FailingSince = Time.GetUtcNow(),
            Secrets = [new WebhookSecret("whsec_1"), new WebhookSecret("whsec_2", Time.GetUtcNow())],
            Version = long.MaxValue,
        };
        await ChangeAsync(
            async (table, ct) =>
            {
                await table.SaveAsync(row with { Url = "https://example.com/former" }, ct);
                await table.SaveAsync(row, ct);
                await table.SaveAsync(Row("a"), ct);
                await table.AddDeliveryAsync(Delivery("a", 1), ct);
                await table.AddDeliveryAsync(Delivery("b", 1), ct);
            }
        );
        Assert.Equal(["a", "b"], (await ReadAsync((table, ct) => table.ListAsync(ct))).Select(static found => found.Id));
        Assert.Equal(row.Encode(), (await ReadAsync((table, ct) => table.FindAsync("b", ct)))!.Encode());
        await ChangeAsync((table, ct) => table.RemoveAsync("b", ct));
        Assert.Null(await ReadAsync((table, ct) => table.FindAsync("b", ct)));
        Assert.Equal(0, await ReadAsync((table, ct) => table.CountAsync("b", WebhookDeliveryState.Waiting, ct)));
        Assert.Equal(1, await ReadAsync((table, ct) => table.CountAsync("a", WebhookDeliveryState.Waiting, ct)));
    }

    /// <summary>Checks the order, states and bodies of deliveries.</summary>
    [Fact]
    public async Task Deliveries_are_listed_by_state_in_order_and_keep_their_bodies()
    {
        var now = Time.GetUtcNow();
        await ChangeAsync(
            async (table, ct) =>
            {
                foreach (var offset in (long[])[3, 1, long.MaxValue])
                    await table.AddDeliveryAsync(Delivery("a", offset), ct);
                // Ignored: the delivery exists.
                await table.AddDeliveryAsync(Delivery("a", 1) with { Payload = new byte[] { 9 } }, ct);
            }
        );
        Assert.Equal([1, 3, long.MaxValue], await OffsetsAsync(WebhookDeliveryState.Waiting, 0, 10));
        Assert.Equal([3], await OffsetsAsync(WebhookDeliveryState.Waiting, 1, 1));
        var dead = Delivery("a", 3) with
        {
            State = WebhookDeliveryState.Dead,
            At = now + TimeSpan.FromTicks(1),
            Facts = new WebhookFacts("msg_3", "t", "e", 7, "status 500"),
        };
        await ChangeAsync((table, ct) => table.UpdateDeliveryAsync(dead with { Payload = default }, ct));
        var listed = Assert.Single(await ReadAsync((table, ct) => table.ListDeliveriesAsync("a", WebhookDeliveryState.Dead, 0, 10, ct)));
        Assert.Equal((dead.At, dead.Facts, 0), (listed.At, listed.Facts, listed.Payload.Length));
        Assert.Equal([1, 2], await ReadAsync((table, ct) => table.FindPayloadAsync("a", 3, ct)));
        Assert.Equal([1, 2], await ReadAsync((table, ct) => table.FindPayloadAsync("a", 1, ct)));
        Assert.Null(await ReadAsync((table, ct) => table.FindPayloadAsync("a", 2, ct)));
        await ChangeAsync((table, ct) => table.ForgetDeadAsync(dead.At, ct));
        Assert.Equal([3], await OffsetsAsync(WebhookDeliveryState.Dead, 0, 10));
        await ChangeAsync((table, ct) => table.ForgetDeadAsync(dead.At + TimeSpan.FromTicks(1), ct));
        Assert.Empty(await OffsetsAsync(WebhookDeliveryState.Dead, 0, 10));
        await ChangeAsync((table, ct) => table.RemoveDeliveryAsync("a", 1, ct));
        Assert.Equal([long.MaxValue], await OffsetsAsync(WebhookDeliveryState.Waiting, 0, 10));
    }

    private static WebhookRow Row(string id) =>
        new(id)
        {
            Url = "https://example.com/hook",
            Patterns = ["orders/**"],
            Owner = "ann",
            Secrets = [new WebhookSecret("whsec_1")],
        };

    private WebhookDelivery Delivery(string id, long offset) =>
        new(id, offset)
        {
            At = Time.GetUtcNow(),
            Facts = new WebhookFacts($"msg_{offset}", "t", "e"),
            Payload = new byte[] { 1, 2 },
        };

    private async Task<IEnumerable<long>> OffsetsAsync(WebhookDeliveryState state, long after, int limit) =>
        (await ReadAsync((table, ct) => table.ListDeliveriesAsync("a", state, after, limit, ct))).Select(static row => row.Offset);

    private ValueTask ChangeAsync(Func<IWebhookTable, CancellationToken, ValueTask> change) =>
        Store.WriteAsync((unit, ct) => change(WebhookScopes.TableOf(unit), ct), Cancellation);

    private ValueTask<T> ReadAsync<T>(Func<IWebhookTable, CancellationToken, ValueTask<T>> read) =>
        Store.ReadAsync((scope, ct) => read(WebhookScopes.TableOf(scope), ct), Cancellation);
}
