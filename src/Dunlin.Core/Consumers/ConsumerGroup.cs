using Dunlin.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Consumers;

/// <summary>The settings of a group. Immutable.</summary>
internal sealed class ConsumerGroup
{
    public const int MaxName = 100;

    /// <exception cref="ArgumentException">The name or a pattern is not valid, or there is no pattern.</exception>
    public ConsumerGroup(string name, EventConsumerOptions options)
    {
        CheckName(name);
        (Name, Options, Patterns) = (name, options, options.ParsePatterns(name));
        Backoff = new LoopBackoff(options.FirstDelay, options.MaxDelay);
    }

    public string Name { get; }

    public EventConsumerOptions Options { get; }

    public IReadOnlyList<TopicPattern> Patterns { get; }

    public LoopBackoff Backoff { get; }

    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > MaxName || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/'))
            throw new ArgumentException(
                $"'{name}' is not a name of a consumer group. Use 1 to {MaxName} letters, digits and the characters . - _ /",
                nameof(name)
            );
    }
}
