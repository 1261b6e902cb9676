using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Leases;

/// <summary>The contracts of leases: their events, and requests between nodes.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DefaultLeaseAnnouncer.Announcement))]
[JsonSerializable(typeof(DisconnectMonitor.Key))]
[JsonSerializable(typeof(bool))]
internal sealed partial class LeaseJson : JsonSerializerContext;
