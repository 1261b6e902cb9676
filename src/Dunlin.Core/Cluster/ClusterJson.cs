using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Cluster;

/// <summary>The contracts of requests between nodes.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ClusterQuery.OutgoingPacket))]
[JsonSerializable(typeof(ClusterQuery.IncomingPacket))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(StreamCount))]
internal sealed partial class ClusterJson : JsonSerializerContext;
