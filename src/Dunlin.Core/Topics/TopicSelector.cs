namespace Dunlin.Topics;

/// <summary>A kind of selectors. Makes the view of a topic that its selectors examine. Must be thread-safe.</summary>
/// <remarks>Use one instance for all selectors of the kind.</remarks>
public abstract class SelectorKind
{
    /// <summary>Returns the view of a topic; null if no selector of this kind selects it.</summary>
    /// <param name="topic">The topic.</param>
    public abstract TopicView? View(TopicName topic);
}

/// <summary>A topic as the selectors of one kind see it. Immutable. A kind may derive from it to add parsed parts.</summary>
/// <param name="name">The topic.</param>
/// <param name="key">The text that begins with <see cref="TopicSelector.Prefix"/> of each selector that selects the topic.</param>
public class TopicView(TopicName name, string key)
{
    /// <summary>Gets the topic.</summary>
    public TopicName Name { get; } = name;

    /// <summary>Gets the text that begins with <see cref="TopicSelector.Prefix"/> of each selector that selects the topic.</summary>
    public string Key { get; } = key;
}

/// <summary>Selects text topics by an expression, including topics that are created later. Must be immutable and thread-safe.</summary>
/// <remarks>
/// A connection with selectors receives the events whose topics they select. Selectors of one kind with equal text are equal. The engine
/// finds them by <see cref="Prefix"/>: the cost of an event does not grow with the number of selectors that have other prefixes.
/// </remarks>
/// <param name="kind">The kind.</param>
/// <param name="text">The expression.</param>
public abstract class TopicSelector(SelectorKind kind, string text) : IEquatable<TopicSelector>
{
    /// <summary>Gets the kind.</summary>
    public SelectorKind Kind { get; } = kind;

    /// <summary>Gets the expression.</summary>
    public string Text { get; } = text;

    /// <summary>
    /// Gets the beginning of <see cref="TopicView.Key"/> of every selected topic. Empty or ending with <c>/</c>.
    /// </summary>
    public abstract string Prefix { get; }

    /// <summary>Returns whether the selector selects a topic. Takes no lock and does no I/O.</summary>
    /// <param name="topic">The topic as <see cref="Kind"/> sees it.</param>
    public abstract bool Selects(TopicView topic);

    /// <inheritdoc/>
    public bool Equals(TopicSelector? other) => other is not null && ReferenceEquals(Kind, other.Kind) && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TopicSelector);

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
