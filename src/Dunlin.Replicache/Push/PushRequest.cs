using System.Text;
using System.Text.Json;
using Dunlin.Diagnostics;

namespace Dunlin.Replicache.Push;

/// <summary>One mutation as it came.</summary>
internal sealed record PushedMutation(string ClientId, long Id, string Name, JsonElement Args);

/// <summary>A push as it came.</summary>
internal sealed record PushRequest(string ClientGroupId, string SchemaVersion, IReadOnlyList<PushedMutation> Mutations)
{
    private const int MaxNameLength = 200;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, naming the field.</exception>
    public static PushRequest Of(JsonElement body)
    {
        var groupId = WireReader.Id(body, "clientGroupID", "clientGroupID");
        var schema = WireReader.Text(body, "schemaVersion", "schemaVersion", 1_000);
        if (!body.TryGetProperty("mutations", out var list) || list.ValueKind != JsonValueKind.Array)
            throw WireReader.Wrong("mutations", "an array");
        var mutations = new List<PushedMutation>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
            mutations.Add(Mutation(item, $"mutations[{mutations.Count}]"));
        return new PushRequest(groupId, schema, mutations);
    }

    private static PushedMutation Mutation(JsonElement item, string path)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw WireReader.Wrong(path, "an object");
        var id = item.TryGetProperty("id", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out var value) && value >= 1
            ? value
            : throw WireReader.Wrong($"{path}.id", "a whole number from 1");
        if (!item.TryGetProperty("timestamp", out var timestamp) || timestamp.ValueKind != JsonValueKind.Number)
            throw WireReader.Wrong($"{path}.timestamp", "a number");
        var clientId = WireReader.Id(item, "clientID", $"{path}.clientID");
        var name = WireReader.Text(item, "name", $"{path}.name", MaxNameLength);
        return new PushedMutation(clientId, id, name, item.TryGetProperty("args", out var args) ? args : default);
    }
}

/// <summary>Bounds on the arguments of one mutation: who breaks them fails alone.</summary>
internal static class ArgsBounds
{
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/> or <see cref="ErrorCode.InvalidField"/>.</exception>
    public static void Check(JsonElement args, ReplicacheOptions options)
    {
        if (args.ValueKind == JsonValueKind.Undefined)
            return;
        var utf8 = Encoding.UTF8.GetBytes(args.GetRawText());
        if (utf8.Length > options.MaxArgsBytes)
            throw new DunlinException(ErrorCode.TooLarge, $"The arguments have {utf8.Length} bytes; {options.MaxArgsBytes} is the limit.", "args");
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = options.MaxArgsDepth });
            while (reader.Read())
            {
                // Reading is what finds the depth.
            }
        }
        catch (JsonException exception)
        {
            throw new DunlinException(ErrorCode.InvalidField, $"The arguments are nested deeper than {options.MaxArgsDepth}.", "args", exception);
        }
    }
}
