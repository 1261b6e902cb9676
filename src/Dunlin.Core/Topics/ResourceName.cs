using System.Diagnostics.CodeAnalysis;
using Dunlin.Diagnostics;

namespace Dunlin.Topics;

/// <summary>
/// The name of what a lease is on: a file, a record, one field of a record; for example <c>cases/17/customerName</c>.
/// The same characters and length as <see cref="TopicName"/>.
/// </summary>
public readonly record struct ResourceName
{
    private readonly string? _value;

    private ResourceName(string value) => _value = value;

    /// <summary>The text of the name.</summary>
    public string Value => _value ?? "";

    /// <summary>Makes a name from text.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidResource"/>, saying what is wrong.</exception>
    public static ResourceName Parse(string? text) =>
        TopicName.Fault(text) is { } fault
            ? throw new DunlinException(ErrorCode.InvalidResource, fault, "resource")
            : new ResourceName(text!);

    /// <summary>Makes a name from text; false where it is not one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ResourceName name)
    {
        var valid = TopicName.Fault(text) is null;
        name = valid ? new ResourceName(text!) : default;
        return valid;
    }

    /// <summary>Joins segments with <c>/</c>, escaping each as <see cref="TopicName.Of"/> does.</summary>
    public static ResourceName Of(params ReadOnlySpan<string> segments) => new(TopicName.Of(segments).Value);

    /// <summary>The part before the first <c>/</c>.</summary>
    public string FirstSegment => Value.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? Value[..slash] : Value;

    /// <summary>Whether this name is <paramref name="prefix"/> or lies below it, segment by segment.</summary>
    public bool IsUnder(string prefix) => NamePrefix.Covers(prefix, Value);

    /// <inheritdoc/>
    public override string ToString() => Value;
}
