using System.Collections.Frozen;
using Dunlin.Diagnostics;

namespace Dunlin.Devices;

/// <summary>A declared channel and what can happen on it.</summary>
public sealed record ChannelRule
{
    // Together with the colon and the mark of an exception they stay below the longest event type.
    private const int MaxLength = 40;

    /// <summary>Declares a channel.</summary>
    /// <exception cref="ArgumentException">A name is not 1 to 40 letters, digits and <c>._-</c>, or the channel is <c>system</c>,
    /// which the stream itself speaks on.</exception>
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

    /// <summary>The name of a feature, such as <c>timer</c>.</summary>
    public string Channel { get; }

    /// <summary>What can happen on it, such as <c>started</c>.</summary>
    public IReadOnlySet<string> Types { get; }

    private static void Require(string name, string parameter)
    {
        if (name is not { Length: >= 1 and <= MaxLength } || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            throw new ArgumentException($"'{name}' must have 1 to {MaxLength} letters, digits and ._-", parameter);
    }
}

/// <summary>All declared channels; a channel declared twice has the types of both.</summary>
internal sealed class ChannelNames(IEnumerable<ChannelRule> rules)
{
    private readonly FrozenDictionary<string, FrozenSet<string>> _types = rules
        .GroupBy(rule => rule.Channel, StringComparer.Ordinal)
        .ToFrozenDictionary(
            group => group.Key,
            group => group.SelectMany(rule => rule.Types).ToFrozenSet(StringComparer.Ordinal),
            StringComparer.Ordinal
        );

    /// <summary>The event type <c>channel:type</c>.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: not declared.</exception>
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
