using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Leases;

namespace Dunlin.Relational;

/// <summary>The contracts of JSON columns.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyList<Waiter>))]
internal sealed partial class RelationalJson : JsonSerializerContext;
