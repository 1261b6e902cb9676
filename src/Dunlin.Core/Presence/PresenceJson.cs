using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Presence;

/// <summary>The contracts of presence: its events, and requests between nodes.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(PresenceRegistry.PresenceChange))]
[JsonSerializable(typeof(PresenceRegistry.PresenceQuery))]
[JsonSerializable(typeof(IReadOnlyList<Present>))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
internal sealed partial class PresenceJson : JsonSerializerContext;
