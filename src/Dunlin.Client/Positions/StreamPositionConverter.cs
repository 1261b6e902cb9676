using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Client;

/// <summary>Reads and writes a position as its id.</summary>
internal sealed class StreamPositionConverter : JsonConverter<StreamPosition>
{
    public override StreamPosition Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        StreamPosition.OfWire(reader.GetString()) ?? default;

    public override void Write(Utf8JsonWriter writer, StreamPosition value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
