using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Client;

/// <summary>JSON metadata that the compiler generates, so that the package works with native AOT.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PublishResult))]
[JsonSerializable(typeof(EventPage))]
[JsonSerializable(typeof(TopicPresence))]
[JsonSerializable(typeof(ServerStats))]
[JsonSerializable(typeof(UserConnections))]
[JsonSerializable(typeof(UserRevocation))]
[JsonSerializable(typeof(UserRevoked))]
[JsonSerializable(typeof(StreamTicket))]
[JsonSerializable(typeof(LeaseGrant))]
[JsonSerializable(typeof(LeaseHolder))]
[JsonSerializable(typeof(LeaseListPage))]
[JsonSerializable(typeof(AcquireBody))]
[JsonSerializable(typeof(RenewBody))]
[JsonSerializable(typeof(HandOffBody))]
[JsonSerializable(typeof(PreemptBody))]
internal sealed partial class ClientJson : JsonSerializerContext;
