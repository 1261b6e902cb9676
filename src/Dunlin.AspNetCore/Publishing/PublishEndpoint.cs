using System.Diagnostics;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Publishing;

/// <summary>Serves <c>POST /dunlin/v1/events</c>: publishes one event or an array, all or none. Answers <c>{positions}</c>, with null for
/// each transient event.</summary>
internal sealed class PublishEndpoint(
    IJournal journal,
    EventFanout fanout,
    AccessPolicies policies,
    PublishRate rate,
    IOptions<PublishOptions> options
)
{
    public async Task ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var utf8 = await RequestBody.ReadUtf8Async(context, options.Value.MaxRequestBytes, context.RequestAborted);
        var items = PublishParser.Parse(utf8, options.Value, caller.AsOrigin());
        foreach (var item in items)
        {
            if (!await policies.MayPublishAsync(caller, item.Draft.Topic, context.RequestAborted))
                throw new DunlinException(
                    ErrorCode.Forbidden,
                    $"You do not have permission to publish to the topic '{item.Draft.Topic}'.",
                    "topic"
                );
        }
        var key = Idempotency(context, caller, items);
        rate.Take(caller, items, key is not null);

        using var activity = DunlinActivities.Source.StartActivity(DunlinActivities.Publish, ActivityKind.Producer);
        activity?.SetTag("dunlin.events", items.Count);
        var durable =
            items.Count == 1 && !items[0].IsTransient ? [items[0].Draft] : items.Where(i => !i.IsTransient).Select(i => i.Draft).ToArray();
        IReadOnlyList<Position> positions = [];
        using (await fanout.Flow.AdmitAsync(caller.UserId, items.Count, context.RequestAborted))
        {
            // The token of the request is not passed on: a cancelled append may still commit, and its caller has gone.
            if (durable.Length > 0)
                positions = await journal.AppendAsync(durable, key, CancellationToken.None);
            foreach (var item in items)
            {
                if (item.IsTransient)
                    fanout.PublishTransient(item.Draft);
            }
        }
        await fanout.Flow.PaceAsync(context.RequestAborted);
        await AnswerAsync(context, items, positions);
    }

    /// <summary>Returns the idempotency key of the whole request, from the header or from its events.</summary>
    private static IdempotencyKey? Idempotency(HttpContext context, Caller caller, List<PublishItem> items)
    {
        string? key = context.Request.Headers["Idempotency-Key"];
        foreach (var item in items)
        {
            if (item.IdempotencyKey is null)
                continue;
            if (key is not null && !string.Equals(key, item.IdempotencyKey, StringComparison.Ordinal))
                throw new DunlinException(
                    ErrorCode.InvalidField,
                    "The events have different idempotency keys. Send one key for the whole request.",
                    "idempotencyKey"
                );
            key = item.IdempotencyKey;
        }
        if (key is { Length: 0 or > 100 })
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"An idempotency key must have 1 to 100 characters, not {key.Length}.",
                "Idempotency-Key"
            );
        return key is null ? null : new IdempotencyKey("publish:" + caller.UserId, key);
    }

    private static Task AnswerAsync(HttpContext context, List<PublishItem> items, IReadOnlyList<Position> positions)
    {
        // Written by hand: a position needs no escapes, and a JSON writer would allocate more than the response.
        var start = "{\"positions\":["u8;
        var end = "]}"u8;
        var json = new byte[start.Length + (items.Count * (Position.MaxLength + 3)) + end.Length];
        start.CopyTo(json);
        var (length, next) = (start.Length, 0);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                json[length++] = (byte)',';
            if (items[i].IsTransient)
            {
                "null"u8.CopyTo(json.AsSpan(length));
                length += 4;
                continue;
            }
            json[length++] = (byte)'"';
            length += positions[next++].Format(json.AsSpan(length));
            json[length++] = (byte)'"';
        }
        end.CopyTo(json.AsSpan(length));
        length += end.Length;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = length;
        return context.Response.Body.WriteAsync(json.AsMemory(0, length), context.RequestAborted).AsTask();
    }
}
