using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Mercure.Access;
using Dunlin.Mercure.Matchers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Mercure.Subscriptions;

/// <summary>Serves the lists of active subscriptions of all nodes: the Mercure protocol, section Subscription API.</summary>
internal sealed class SubscriptionApi(MercureHub hub, RequestAccess access, SubscriptionTracker tracker, StreamStarts starts)
{
    private const string Root = "/subscriptions";

    public async Task ServeAsync(HttpContext context)
    {
        var reader = await access.RequireAsync(context);
        if (!hub.Options.Subscriptions)
            throw new DunlinException(ErrorCode.NotFound, "This hub does not list subscriptions. Set MercureOptions.Subscriptions.");
        var path = PathOf(context);
        if (!reader.Grants.MayRead([new Topic(path, hub.Url.Url)]))
            throw AccessRefusedException.InsufficientScope(reader.Dialect, $"The access token does not permit to read '{path}'.");

        // Before the lists: a reader that continues after this id receives each later change.
        var last = await starts.LastIdAsync(context.RequestAborted);
        var isLegacy = reader.Dialect == MercureDialects.Version0;
        var active = tracker.All().Where(document => document.IsLegacy == isLegacy);
        var body = Answer(path, path[(hub.Path.Length + Root.Length)..], [.. active], last, isLegacy);
        var response = context.Response;
        response.Headers.Link = Discovery.MercureLink.Of(hub.Options.Url, last, isLegacy ? null : "mercure", "application/json");
        response.Headers.ETag = $"\"{Uri.EscapeDataString(last)}\"";
        response.Headers.CacheControl = "must-revalidate";
        if (context.Request.Headers.IfNoneMatch == response.Headers.ETag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        response.ContentType = isLegacy ? "application/ld+json" : "application/json";
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>Returns the path of the resource below the public path of the hub, encoded as the client sent it.</summary>
    private string PathOf(HttpContext context)
    {
        var raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var end = raw.IndexOf('?', StringComparison.Ordinal);
        var path = end < 0 ? raw : raw[..end];
        var at = path.IndexOf(Root, StringComparison.Ordinal);
        return hub.Path + (at < 0 ? Root : path[at..]);
    }

    private static byte[] Answer(string path, string rest, List<SubscriptionDocument> active, string last, bool isLegacy)
    {
        var parts = rest.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        var found = active.Where(document => IsBelow(document, parts)).ToList();
        if (parts.Length == (isLegacy ? 2 : 3))
            return found is [var one, ..] ? one.ToJson() : throw new DunlinException(ErrorCode.NotFound, "No such subscription is active.");
        if (parts.Length > 2 || parts.Length == (isLegacy ? 2 : 1))
            throw new DunlinException(ErrorCode.NotFound, "The subscription API has no such address.");
        var list = new SubscriptionList
        {
            Context = isLegacy ? "https://mercure.rocks/" : null,
            Id = path,
            Type = isLegacy ? "Subscriptions" : "subscriptions",
            LastEventId = isLegacy ? last : null,
            Subscriptions = found,
        };
        return JsonSerializer.SerializeToUtf8Bytes(list, MercureJson.Default.SubscriptionList);
    }

    private static bool IsBelow(SubscriptionDocument document, string[] parts)
    {
        string?[] own = document.IsLegacy
            ? [document.Topic, document.Subscriber]
            : [document.MatchType, document.Match, document.Subscriber];
        return parts.Length <= own.Length && own.AsSpan(0, parts.Length).SequenceEqual(parts);
    }
}
