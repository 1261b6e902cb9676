using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.DurableStreams.Hosting;
using Dunlin.DurableStreams.Wire;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Publishing;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>Serves the subscriptions of streams: creation, membership, and the requests of workers. Thread-safe.</summary>
internal sealed class SubscriptionEndpoint(
    IStore store,
    IJournal journal,
    SubscriptionSettings settings,
    SubscriptionRights rights,
    SubscriptionWorker worker,
    WebhookKeys keys,
    PublishRate rate,
    IOptions<DurableStreamOptions> options
)
{
    private const int MaxBody = 256 * 1024;

    public Task KeysAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "public, max-age=300";
        return AnswerAsync(context, 200, keys.Published, SubscriptionWire.Default.KeySet, "application/jwk-set+json");
    }

    public async Task CreateAsync(HttpContext context, string path)
    {
        var (id, caller) = (IdOf(context), context.RequireCaller());
        var request = await ReadAsync(context, SubscriptionWire.Default.SubscriptionRequest);
        var (wanted, topics) = settings.Read(id, caller, request, settings.RootOf(context.Request, path));
        await rights.RequireReadAsync(caller, topics, context.RequestAborted);
        if (wanted.Pattern is { } pattern)
            await rights.RequireReadAllAsync(caller, StreamGlob.OfTopics(pattern), context.RequestAborted);
        if (wanted.WakeTopic is { } wake)
            await rights.RequireWakeAsync(caller, Topics.TopicName.Parse(wake), context.RequestAborted);
        rate.Take(caller, events: 1);
        var limits = new StreamSubscriptionLimits(options.Value.MaxSubscriptionsPerUser, options.Value.MaxSubscriptions);
        var result = await store.WriteAsync(
            (unit, ct) => new UnitStreamSubscriptions(unit).CreateAsync(wanted, topics, limits, ct),
            CancellationToken.None
        );
        if (result is not { } created)
            throw new SubscriptionFault(
                409,
                "SUBSCRIPTION_ALREADY_EXISTS",
                $"The subscription '{id}' has other settings or another owner. Delete it first, or use another id."
            );
        worker.Wake();
        await AnswerAsync(
            context,
            created.IsNew ? 201 : 200,
            await DescribeAsync(created.Row),
            SubscriptionWire.Default.SubscriptionAnswer
        );
    }

    public async Task GetAsync(HttpContext context, string path)
    {
        var row = await RequireAsync(context);
        await AnswerAsync(context, 200, await DescribeAsync(row), SubscriptionWire.Default.SubscriptionAnswer);
    }

    public async Task DeleteAsync(HttpContext context, string path)
    {
        var id = IdOf(context);
        if (await FindAsync(id, context) is { } row)
        {
            SubscriptionRights.RequireOwner(row, id, context);
            rate.Take(context.RequireCaller(), events: 1);
            await store.WriteAsync(
                async (unit, ct) =>
                {
                    await new UnitStreamSubscriptions(unit).DeleteAsync(id, ct);
                    return true;
                },
                CancellationToken.None
            );
        }
        else
            context.RequireCaller();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task AddStreamsAsync(HttpContext context, string path)
    {
        var row = await RequireAsync(context);
        var topics = settings.TopicsOf((await ReadAsync(context, SubscriptionWire.Default.MembersRequest)).Streams);
        if (topics.Count == 0)
            throw SubscriptionFault.Invalid("'streams' must name at least one stream.");
        await rights.RequireReadAsync(context.RequireCaller(), topics, context.RequestAborted);
        rate.Take(context.RequireCaller(), events: 1);
        await ChangeAsync(row, (unit, ct) => unit.LinkAsync(row.Id, topics, ct));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task RemoveStreamAsync(HttpContext context, string path)
    {
        var row = await RequireAsync(context);
        // Routing does not decode '%2F' in a path.
        var stream = (context.GetRouteValue("stream") as string)?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var topic = rights.TopicOf(stream, "path");
        rate.Take(context.RequireCaller(), events: 1);
        await ChangeAsync(row, (unit, ct) => unit.UnlinkAsync(row.Id, topic, ct));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task ClaimAsync(HttpContext context, string path)
    {
        var row = RequirePull(await RequireAsync(context));
        var request = await ReadAsync(context, SubscriptionWire.Default.ClaimRequest);
        if (request.Worker is not { Length: > 0 and <= 200 } name)
            throw SubscriptionFault.Invalid("'worker' must have 1 to 200 characters.");
        rate.Take(context.RequireCaller(), events: 1);
        await worker.CatchUpAsync(context.RequestAborted);
        var result = await store.WriteAsync(
            (unit, ct) => new UnitStreamSubscriptions(unit).ClaimAsync(row.Id, name, ct),
            CancellationToken.None
        );
        SubscriptionFault.Require(row.Id, result);
        var (claimed, epoch) = (result.Row!, journal.Head.Epoch);
        var answer = new ClaimAnswer(
            claimed.WakeId!,
            claimed.Generation,
            keys.TokenOf(claimed),
            [.. result.Links.Select(link => StreamEntry.OfWake(claimed, link, epoch))],
            (long)claimed.LeaseDuration.TotalMilliseconds
        );
        await AnswerAsync(context, 200, answer, SubscriptionWire.Default.ClaimAnswer);
    }

    public Task CallbackAsync(HttpContext context, string path) => AcknowledgeAsync(context, static row => row);

    public Task AckAsync(HttpContext context, string path) => AcknowledgeAsync(context, RequirePull);

    public async Task ReleaseAsync(HttpContext context, string path)
    {
        var (row, wake, _) = await WakeOfAsync(context, RequirePull);
        var result = await store.WriteAsync(
            (unit, ct) => new UnitStreamSubscriptions(unit).ReleaseAsync(row.Id, wake, ct),
            CancellationToken.None
        );
        SubscriptionFault.Require(row.Id, result);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Writes an error with a code of the protocol.</summary>
    public static Task FailAsync(HttpContext context, SubscriptionFault fault)
    {
        var answer = new FaultAnswer(new FaultEntry(fault.Code, fault.Message, fault.Holder, fault.Generation));
        return AnswerAsync(context, fault.Status, answer, SubscriptionWire.Default.FaultAnswer);
    }

    private async Task AcknowledgeAsync(HttpContext context, Func<StreamSubscription, StreamSubscription> require)
    {
        var (row, wake, request) = await WakeOfAsync(context, require);
        if (request.Acks?.Count > StreamSubscriptionLimits.MaxLinks)
            throw SubscriptionFault.Invalid($"'acks' must have at most {StreamSubscriptionLimits.MaxLinks} entries.");
        var acks = (request.Acks ?? []).Select(AckOf).ToList();
        await worker.CatchUpAsync(context.RequestAborted);
        var result = await store.WriteAsync(
            (unit, ct) => new UnitStreamSubscriptions(unit).AckAsync(row.Id, wake, acks, request.Done == true, ct),
            CancellationToken.None
        );
        SubscriptionFault.Require(row.Id, result);
        worker.Wake();
        await AnswerAsync(context, 200, new AckAnswer(true, result.HasNext), SubscriptionWire.Default.AckAnswer);
    }

    private StreamAck AckOf(AckEntry? entry)
    {
        var topic = rights.TopicOf(entry?.Stream ?? entry?.Path, "acks.stream");
        try
        {
            var offset = StreamOffset.Find(entry?.Offset ?? "", journal.Head, "acks.offset");
            return new StreamAck(topic, offset < 0 ? null : offset);
        }
        catch (Diagnostics.DunlinException exception)
        {
            throw SubscriptionFault.Invalid(exception.Message);
        }
    }

    /// <summary>Returns the wake that a request means. Its token identifies the worker; no other credential is read.</summary>
    private async Task<(StreamSubscription Row, StreamWakeKey Wake, WakeRequest Request)> WakeOfAsync(
        HttpContext context,
        Func<StreamSubscription, StreamSubscription> require
    )
    {
        const string Bearer = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            throw SubscriptionFault.BadToken();
        var id = IdOf(context);
        var row = require(await FindAsync(id, context) ?? throw SubscriptionFault.NotFound(id));
        var generation = keys.GenerationOf(row, header[Bearer.Length..].Trim()) ?? throw SubscriptionFault.BadToken();
        var request = await ReadAsync(context, SubscriptionWire.Default.WakeRequest);
        if (request is not { WakeId: { } wakeId, Generation: { } asked })
            throw SubscriptionFault.Invalid("Send 'wake_id' and 'generation' of the wake.");
        rate.Take(row.Owner, events: 1);
        // A generation that is never current, where the token is that of another wake.
        return (row, new StreamWakeKey(row.Incarnation, wakeId, asked == generation ? generation : -1), request);
    }

    private static StreamSubscription RequirePull(StreamSubscription row) =>
        row.IsWebhook ? throw SubscriptionFault.Invalid("The subscription has a webhook. Use its callback.") : row;

    private async ValueTask<StreamSubscription> RequireAsync(HttpContext context)
    {
        context.RequireCaller();
        var id = IdOf(context);
        return SubscriptionRights.RequireOwner(await FindAsync(id, context), id, context);
    }

    private ValueTask<StreamSubscription?> FindAsync(string id, HttpContext context) =>
        store.ReadAsync((scope, ct) => UnitStreamSubscriptions.TableOf(scope).FindAsync(id, ct), context.RequestAborted);

    private async Task ChangeAsync(StreamSubscription row, Func<UnitStreamSubscriptions, CancellationToken, ValueTask> change)
    {
        var found = await store.WriteAsync(
            async (unit, ct) =>
            {
                if (await UnitStreamSubscriptions.TableOf(unit).FindAsync(row.Id, ct) is not { } current)
                    return false;
                await change(new UnitStreamSubscriptions(unit), ct);
                return current.Incarnation == row.Incarnation;
            },
            CancellationToken.None
        );
        if (!found)
            throw SubscriptionFault.NotFound(row.Id);
    }

    private async Task<SubscriptionAnswer> DescribeAsync(StreamSubscription row)
    {
        var links = await store.ReadAsync(
            (scope, ct) =>
                UnitStreamSubscriptions.TableOf(scope).ListLinksAsync(row.Id, pendingOnly: false, StreamSubscriptionLimits.MaxLinks, ct),
            CancellationToken.None
        );
        var epoch = journal.Head.Epoch;
        return new SubscriptionAnswer(
            row.Id,
            row.Id,
            row.IsWebhook ? "webhook" : "pull-wake",
            row.Pattern is { } pattern ? row.PathOf(pattern) : null,
            [.. links.Select(link => StreamEntry.Of(row, link, epoch))],
            row.WebhookUrl is { } url
                ? new WebhookEntry(url, new SigningEntry("ed25519", keys.CurrentId, row.Root + "/__ds/jwks.json"))
                : null,
            row.WakeTopic is { } wake ? row.PathOf(wake) : null,
            (long)row.LeaseDuration.TotalMilliseconds,
            row.CreatedAt.UtcDateTime,
            StatusOf(row.Status),
            row.Description
        );
    }

    private static string StatusOf(StreamSubscriptionStatus status) =>
        status switch
        {
            StreamSubscriptionStatus.Failed => "failed",
            StreamSubscriptionStatus.Disabled => "disabled",
            _ => "active",
        };

    private static string IdOf(HttpContext context) => (string)context.GetRouteValue("id")!;

    private static async ValueTask<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        var body = await RequestBytes.ReadAsync(context, MaxBody, context.RequestAborted);
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw SubscriptionFault.Invalid("The body must be a JSON object.");
        }
        catch (JsonException exception)
        {
            throw SubscriptionFault.Invalid($"The body is not valid at '{exception.Path ?? "$"}': send a JSON object of the right types.");
        }
    }

    private static async Task AnswerAsync<T>(
        HttpContext context,
        int status,
        T answer,
        JsonTypeInfo<T> type,
        string contentType = "application/json"
    )
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(answer, type);
        var response = context.Response;
        (response.StatusCode, response.ContentType, response.ContentLength) = (status, contentType, bytes.Length);
        if (response.Headers.CacheControl.Count == 0)
            response.Headers.CacheControl = "no-store";
        await response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
