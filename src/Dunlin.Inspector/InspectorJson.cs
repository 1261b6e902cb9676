using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Inspector.Cluster;
using Dunlin.Inspector.Connections;
using Dunlin.Inspector.Jobs;
using Dunlin.Inspector.Journal;
using Dunlin.Inspector.Leases;
using Dunlin.Inspector.Refusals;
using Dunlin.Inspector.Sampling;
using Dunlin.Inspector.Topics;
using Dunlin.Inspector.Users;

namespace Dunlin.Inspector;

/// <summary>The JSON of the inspector, generated at compile time: it works in a native binary too.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow
)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(NodeEnvelope))]
[JsonSerializable(typeof(SampleRequest))]
[JsonSerializable(typeof(NodeSample))]
[JsonSerializable(typeof(ClusterSample))]
[JsonSerializable(typeof(IReadOnlyList<ClusterSample>))]
[JsonSerializable(typeof(TopicQuery))]
[JsonSerializable(typeof(TopicList))]
[JsonSerializable(typeof(ConnectionQuery))]
[JsonSerializable(typeof(ConnectionList))]
[JsonSerializable(typeof(ConnectionDetail))]
[JsonSerializable(typeof(ConnectionDetails))]
[JsonSerializable(typeof(JournalRows))]
[JsonSerializable(typeof(JournalRow))]
[JsonSerializable(typeof(LeaseRows))]
[JsonSerializable(typeof(LeaseEntries))]
[JsonSerializable(typeof(EndLeaseBody))]
[JsonSerializable(typeof(PreemptLeaseBody))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobBody))]
[JsonSerializable(typeof(RefusalList))]
[JsonSerializable(typeof(RevokeBody))]
[JsonSerializable(typeof(RevokeAnswer))]
[JsonSerializable(typeof(InspectorMode))]
internal sealed partial class InspectorJson : JsonSerializerContext;

/// <summary>What the page must know before anybody has signed in. It contains no data.</summary>
/// <param name="Accounts">Whether administrators sign in with accounts. Otherwise the page asks for a token.</param>
/// <param name="Engine">The path of the engine's endpoints, for the tools of the page.</param>
/// <param name="Webhooks">Whether the application has the endpoints of webhooks.</param>
internal sealed record InspectorMode(bool Accounts, string Engine, bool Webhooks);
