using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Leases;
using Dunlin.Presence;
using Dunlin.Streams;
using Dunlin.Streams.Combined;
using Dunlin.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Hosting;

/// <summary>The contracts of the engine's bodies. Names and converters follow the JSON options of the application.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AcquireBody))]
[JsonSerializable(typeof(RenewBody))]
[JsonSerializable(typeof(HandOffBody))]
[JsonSerializable(typeof(PreemptBody))]
[JsonSerializable(typeof(LeaseView))]
[JsonSerializable(typeof(LeaseList))]
[JsonSerializable(typeof(PresenceAnswer))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(StatsEndpoint.NodeStats))]
[JsonSerializable(typeof(UserConnections))]
[JsonSerializable(typeof(RevocationBody))]
[JsonSerializable(typeof(RevocationAnswer))]
[JsonSerializable(typeof(CombinedOpening))]
[JsonSerializable(typeof(CombinedChange))]
[JsonSerializable(typeof(TicketEndpoints.TicketAnswer))]
[JsonSerializable(typeof(WebhookBody))]
[JsonSerializable(typeof(WebhookChange))]
[JsonSerializable(typeof(WebhookView))]
[JsonSerializable(typeof(WebhookList))]
[JsonSerializable(typeof(WebhookDeliveryList))]
[JsonSerializable(typeof(RedriveBody))]
[JsonSerializable(typeof(RedriveAnswer))]
[JsonSerializable(typeof(WebhookTestAnswer))]
// Extensions of problem documents.
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(DateTimeOffset))]
[JsonSerializable(typeof(TimeSpan))]
[JsonSerializable(typeof(PublicOwner))]
internal sealed partial class HttpJson : JsonSerializerContext
{
    /// <summary>Adds contracts to the JSON options, after the application has set its own.</summary>
    public static void Apply(IServiceCollection services, IJsonTypeInfoResolver contracts) =>
        services.PostConfigure<JsonOptions>(options =>
        {
            // Options without a source of contracts use reflection, unless something is added to them.
            if (options.SerializerOptions.TypeInfoResolver is not null)
                options.SerializerOptions.TypeInfoResolverChain.Insert(0, contracts);
        });
}
