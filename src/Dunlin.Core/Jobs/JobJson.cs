using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Jobs;

/// <summary>The contract of stored jobs.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(JobInfo))]
internal sealed partial class JobJson : JsonSerializerContext;
