using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Devices;

/// <summary>The contracts of devices: their events, and requests between nodes.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(UserDevices.Device))]
[JsonSerializable(typeof(UserDevices.UserStreams))]
[JsonSerializable(typeof(UserDevices.Excepting))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
internal sealed partial class DeviceJson : JsonSerializerContext;
