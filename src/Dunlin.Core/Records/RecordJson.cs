using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Records;

/// <summary>The contracts of events about records and access to spaces.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(RecordWriter.KeyEvent))]
[JsonSerializable(typeof(RecordWriter.AccessEvent))]
internal sealed partial class RecordJson : JsonSerializerContext;
