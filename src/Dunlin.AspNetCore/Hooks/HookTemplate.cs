using System.Text;

namespace Dunlin.Hooks;

/// <summary>A text with placeholders in braces, such as <c>github/{body.repository.full_name}</c>. Immutable.</summary>
internal sealed class HookTemplate
{
    public const string Hook = "hook";
    public const string Event = "event";
    public const string BodyPrefix = "body.";

    private readonly List<(string Text, bool IsPlaceholder)> _parts = [];

    /// <summary>Parses a template.</summary>
    /// <exception cref="FormatException">A brace has no counterpart, or a placeholder is unknown.</exception>
    public HookTemplate(string text)
    {
        for (var at = 0; at < text.Length; )
        {
            var open = text.IndexOf('{', at);
            var literal = open < 0 ? text[at..] : text[at..open];
            if (literal.Contains('}', StringComparison.Ordinal))
                throw new FormatException($"'{text}' has a brace without its counterpart.");
            if (literal.Length > 0)
                _parts.Add((literal, false));
            if (open < 0)
                return;
            var close = text.IndexOf('}', open);
            if (close < 0)
                throw new FormatException($"'{text}' has a brace without its counterpart.");
            _parts.Add((Known(text[(open + 1)..close]), true));
            at = close + 1;
        }
    }

    /// <summary>Gets whether a value comes from the body.</summary>
    public bool UsesBody => _parts.Any(static part => part.IsPlaceholder && part.Text.StartsWith(BodyPrefix, StringComparison.Ordinal));

    /// <summary>Gets whether a value is the event type of the sender.</summary>
    public bool UsesEvent => _parts.Any(static part => part is { IsPlaceholder: true, Text: Event });

    /// <summary>Returns the text with a value for each placeholder.</summary>
    public string Format(Func<string, string> valueOf)
    {
        var text = new StringBuilder();
        foreach (var (part, isPlaceholder) in _parts)
            text.Append(isPlaceholder ? valueOf(part) : part);
        return text.ToString();
    }

    private static string Known(string placeholder) =>
        placeholder is Hook or Event || (placeholder.StartsWith(BodyPrefix, StringComparison.Ordinal) && placeholder[^1] != '.')
            ? placeholder
            : throw new FormatException($"'{{{placeholder}}}' is no placeholder. Use {{hook}}, {{event}} or {{body.member}}.");
}
