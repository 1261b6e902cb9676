using System.Collections.Frozen;
using Dunlin.Diagnostics;

namespace Dunlin.Devices;

/// <summary>A declared channel and its event types. Immutable.</summary>
internal sealed record ChannelRule
{
    // With the colon and the exception mark, the event type must not exceed EventDraft.MaxTypeLength.
    private const int MaxLength = 40;

    /// <summary>Declares a channel.</summary>
    /// <param name="channel">The channel: 1 to 40 letters, digits and <c>._-</c>.</param>
    /// <param name="types">The types: each 1 to 40 letters, digits and <c>._-</c>.</param>
    /// <exception cref="ArgumentException">A name is not valid, or the channel is <c>system</c>, which the stream itself uses.</exception>
    public ChannelRule(string channel, IReadOnlyCollection<string> types)
    {
        Require(channel, nameof(channel));
        if (channel == "system")
            throw new ArgumentException("The channel name 'system' is reserved. Use another name.", nameof(channel));
        foreach (var type in types)
            Require(type, nameof(types));
        Channel = channel;
        Types = types.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Gets the name of the channel, such as <c>timer</c>.</summary>
    public string Channel { get; }

    /// <summary>Gets the event types of the channel, such as <c>started</c>.</summary>
    public IReadOnlySet<string> Types { get; }

    private static void Require(string name, string parameter)
    {
        if (name is not { Length: >= 1 and <= MaxLength } || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            throw new ArgumentException($"'{name}' must have 1 to {MaxLength} letters, digits and ._-", parameter);
    }
}

/// <summary>All declared channels. A channel that is declared twice has the types of both declarations.</summary>
internal sealed class ChannelNames(IEnumerable<ChannelRule> rules)
{
    private readonly FrozenDictionary<string, FrozenSet<string>> _types = rules
        .GroupBy(rule => rule.Channel, StringComparer.Ordinal)
        .ToFrozenDictionary(
            group => group.Key,
            group => group.SelectMany(rule => rule.Types).ToFrozenSet(StringComparer.Ordinal),
            StringComparer.Ordinal
        );

    /// <summary>Returns the event type <c>channel:type</c>.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the channel or type is not declared.</exception>
    public string EventType(string channel, string type)
    {
        if (!_types.TryGetValue(channel, out var types))
            throw new DunlinException(ErrorCode.InvalidField, $"No channel '{channel}'. {Known("Channels", _types.Keys)}", "channel");
        return types.Contains(type)
            ? $"{channel}:{type}"
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"No event type '{type}' in the channel '{channel}'. {Known("Types", types)}",
                "type"
            );
    }

    private static string Known(string what, IEnumerable<string> names) =>
        $"{what}: {string.Join(", ", names.Order(StringComparer.Ordinal))}.";
}
