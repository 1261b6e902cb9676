using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;

namespace Dunlin.Replicache.Push;

/// <summary>A mutation of a push request. Immutable.</summary>
/// <param name="ClientId">The client.</param>
/// <param name="Id">The number of the mutation within its client.</param>
/// <param name="Name">The name of the mutator.</param>
/// <param name="Args">The arguments. Undefined if there are none.</param>
/// <param name="ArgsText">The arguments as UTF-8 text of the request. Check it with <see cref="ArgsBounds"/> before reading the
/// arguments.</param>
internal sealed record PushedMutation(string ClientId, long Id, string Name, JsonElement Args, ReadOnlyMemory<byte> ArgsText);

/// <summary>A push request. Immutable.</summary>
internal sealed record PushRequest(string ClientGroupId, string SchemaVersion, IReadOnlyList<PushedMutation> Mutations)
{
    private const int MaxNameLength = 200;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: a field is invalid. The error names it.</exception>
    /// <param name="body">The parsed members: see <see cref="WireReader.ReadAsync"/>.</param>
    /// <param name="utf8">The UTF-8 text of the request.</param>
    public static PushRequest Of(JsonElement body, ReadOnlyMemory<byte> utf8)
    {
        var groupId = WireReader.Id(body, "clientGroupID", "clientGroupID");
        var schema = WireReader.Text(body, "schemaVersion", "schemaVersion", 1_000);
        if (
            !body.TryGetProperty("mutations", out var list)
            || list.ValueKind != JsonValueKind.Array
            || JsonText.Member(utf8, "mutations"u8) is not { } listText
            || JsonText.Items(listText) is not { } texts
        )
            throw WireReader.Wrong("mutations", "an array");
        var mutations = new List<PushedMutation>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
            mutations.Add(Mutation(item, texts[mutations.Count], $"mutations[{mutations.Count}]"));
        return new PushRequest(groupId, schema, mutations);
    }

    private static PushedMutation Mutation(JsonElement item, ReadOnlyMemory<byte> text, string path)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw WireReader.Wrong(path, "an object");
        var id =
            item.TryGetProperty("id", out var number)
            && number.ValueKind == JsonValueKind.Number
            && number.TryGetInt64(out var value)
            && value >= 1
                ? value
                : throw WireReader.Wrong($"{path}.id", "a whole number from 1");
        if (!item.TryGetProperty("timestamp", out var timestamp) || timestamp.ValueKind != JsonValueKind.Number)
            throw WireReader.Wrong($"{path}.timestamp", "a number");
        var clientId = WireReader.Id(item, "clientID", $"{path}.clientID");
        var name = WireReader.Text(item, "name", $"{path}.name", MaxNameLength);
        return item.TryGetProperty("args", out var args) && JsonText.Member(text, "args"u8) is { } argsText
            ? new PushedMutation(clientId, id, name, args, argsText)
            : new PushedMutation(clientId, id, name, default, default);
    }
}

/// <summary>Checks the limits of one mutation's arguments. Only the mutation that exceeds them fails.</summary>
internal static class ArgsBounds
{
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>: the arguments are too large.
    /// <see cref="ErrorCode.InvalidField"/>: they nest too deep or are invalid.</exception>
    public static void Check(ReadOnlySpan<byte> args, ReplicacheOptions options)
    {
        if (args.IsEmpty)
            return;
        if (args.Length > options.MaxArgsBytes)
            throw new DunlinException(ErrorCode.TooLarge, $"'args' has {args.Length} bytes; the limit is {options.MaxArgsBytes}.", "args");
        if (JsonText.Find(args, new JsonTextRules(options.MaxArgsDepth, IsDocument: true)) is { } fault)
            throw new DunlinException(ErrorCode.InvalidField, fault.ToException("args").Message, "args");
    }
}
