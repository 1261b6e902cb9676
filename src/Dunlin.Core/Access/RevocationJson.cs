using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Access;

/// <summary>The contract of stored revocations.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Revocations.Entry))]
internal sealed partial class RevocationJson : JsonSerializerContext;
