using System.Security.Cryptography;
using System.Text.Json;
using Dunlin.DurableStreams.Hosting;
using Dunlin.Outbound;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>Checks the body of a creation. Thread-safe.</summary>
internal sealed class SubscriptionSettings(SubscriptionRights rights, OutboundRules outbound, IOptions<DurableStreamOptions> options)
{
    private const int MaxIdLength = 200;
    private const int MaxDescriptionLength = 1_000;
    private const long DefaultLease = 30_000;
    private const long MinLease = 1_000;
    private const long MaxLease = 600_000;

    /// <summary>Returns the subscription that a request means, with the topics of its explicit streams.</summary>
    /// <exception cref="SubscriptionFault">A field is not valid.</exception>
    public (StreamSubscription Row, IReadOnlyList<TopicName> Topics) Read(
        string id,
        Caller caller,
        SubscriptionRequest request,
        string root
    )
    {
        if (id.Length > MaxIdLength || id.Any(char.IsControl))
            throw SubscriptionFault.Invalid($"The id must have at most {MaxIdLength} characters, without control characters.");
        if (request.Description?.Length > MaxDescriptionLength)
            throw SubscriptionFault.Invalid($"'description' must have at most {MaxDescriptionLength} characters.");
        var lease = request.LeaseTtlMs ?? DefaultLease;
        if (lease is < MinLease or > MaxLease)
            throw SubscriptionFault.Invalid($"'lease_ttl_ms' must be an integer from {MinLease} to {MaxLease}.");
        var topics = TopicsOf(request.Streams);
        var glob = GlobOf(request.Pattern);
        if (glob is null && topics.Count == 0)
            throw SubscriptionFault.Invalid("Send 'pattern', 'streams', or both.");
        var url = request.Type == "webhook" ? UrlOf(request.Webhook?.Url) : null;
        var wake = request.Type == "pull-wake" ? rights.TopicOf(request.WakeStream, "wake_stream").Value : null;
        if (url is null && wake is null)
            throw SubscriptionFault.Invalid("'type' must be 'webhook' or 'pull-wake'.");
        var row = new StreamSubscription(id)
        {
            Owner = caller.UserId,
            Prefix = options.Value.TopicPrefix,
            Pattern = glob?.Text,
            WebhookUrl = url,
            WakeTopic = wake,
            LeaseDuration = TimeSpan.FromMilliseconds(lease),
            Description = request.Description,
            Root = root,
            ConfigurationHash = Hash(request, glob, topics, wake, lease),
        };
        return (row, topics);
    }

    /// <summary>Returns the topics of streams that a body names.</summary>
    /// <exception cref="SubscriptionFault">A name is not valid, or there are too many.</exception>
    public IReadOnlyList<TopicName> TopicsOf(IReadOnlyList<string?>? streams)
    {
        if (streams?.Count > StreamSubscriptionLimits.MaxLinks)
            throw SubscriptionFault.Invalid($"'streams' must have at most {StreamSubscriptionLimits.MaxLinks} entries.");
        return [.. (streams ?? []).Select(path => rights.TopicOf(path, "streams")).Distinct()];
    }

    /// <summary>Returns the public URL of all streams.</summary>
    /// <param name="request">The request.</param>
    /// <param name="path">The path of all streams.</param>
    public string RootOf(HttpRequest request, string path) =>
        options.Value.PublicUrl is { } url ? url + path : $"{request.Scheme}://{request.Host}{request.PathBase}{path}";

    private StreamGlob? GlobOf(string? pattern) =>
        pattern is null or "" ? null
        : StreamGlob.Of(options.Value.TopicPrefix, pattern.Trim('/')) is { } glob ? glob
        : throw SubscriptionFault.Invalid(
            $"'pattern' must be segments joined by '/'; '*' and '**' are whole segments, '**' at most {StreamGlob.MaxRests} times."
        );

    private string UrlOf(string? url)
    {
        if (string.IsNullOrEmpty(url))
            throw SubscriptionFault.Invalid("A subscription of the type 'webhook' needs 'webhook.url'.");
        return outbound.Fault(url) is { } fault ? throw new SubscriptionFault(400, "WEBHOOK_URL_REJECTED", fault) : url;
    }

    private static string Hash(SubscriptionRequest request, StreamGlob? glob, IReadOnlyList<TopicName> topics, string? wake, long lease)
    {
        var normalized = request with
        {
            Pattern = glob?.Text,
            Streams = [.. topics.Select(static topic => topic.Value).Order(StringComparer.Ordinal)],
            WakeStream = wake,
            LeaseTtlMs = lease,
        };
        return Convert.ToHexString(
            SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(normalized, SubscriptionWire.Default.SubscriptionRequest))
        );
    }
}
