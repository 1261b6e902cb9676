using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Topics;

namespace Dunlin.Journal;

/// <summary>The contracts of events about access.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(AccessChange))]
internal sealed partial class JournalJson : JsonSerializerContext;
