using System.Text.Json.Serialization;
using Dunlin.Diagnostics;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Presence;

/// <summary>Serves <c>GET /dunlin/v1/presence?topic=</c>: the users connected to a topic.</summary>
internal sealed class PresenceEndpoint(PresenceRegistry presence, AccessPolicies policies)
{
    public async Task<PresenceAnswer> ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var topic = TopicName.Parse(context.Request.Query["topic"]);
        if (!await policies.MayReadAsync(caller, topic, context.RequestAborted))
            throw new DunlinException(ErrorCode.Forbidden, $"You do not have permission to read the topic '{topic}'.", "topic");
        var all = await presence.ListAsync(topic, context.RequestAborted);
        return new PresenceAnswer(topic.Value, all.Value, all.UnresponsiveNodes);
    }
}

internal sealed record PresenceAnswer(
    string Topic,
    IReadOnlyList<Present> Present,
    [property: JsonPropertyName("silentNodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);
