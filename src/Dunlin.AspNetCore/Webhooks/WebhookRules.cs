using Dunlin.Diagnostics;
using Dunlin.Outbound;
using Dunlin.Topics;

namespace Dunlin.Webhooks;

/// <summary>Validates the settings of endpoints. Errors name the field. Thread-safe.</summary>
internal sealed class WebhookRules(OutboundRules outbound)
{
    private const int MaxPatterns = 50;
    private const int MaxTypes = 50;
    private const int MaxType = 100;
    private const int MaxDescription = 200;
    private const int MaxId = 60;
    private const int MaxRate = 1_000;
    private const int MaxConcurrent = 100;

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: a value is not valid.</exception>
    public void Check(WebhookRow row)
    {
        if (row.Id.Length is 0 or > MaxId || !row.Id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            throw Invalid("id", $"'id' must have 1 to {MaxId} letters, digits and the characters - and _.");
        if (outbound.Fault(row.Url) is { } fault)
            throw Invalid("url", $"'url' is refused. {fault}");
        if (row.Patterns.Count is 0 or > MaxPatterns)
            throw Invalid("patterns", $"'patterns' must have 1 to {MaxPatterns} patterns of topics.");
        foreach (var pattern in row.Patterns)
        {
            if (!TopicPattern.TryParse(pattern, out _))
                throw Invalid("patterns", "'patterns' has a value that is not a pattern of topics. Write it as in 'orders/**'.");
        }
        if (
            row.Types.Count > MaxTypes
            || row.Types.Any(static type => type.Length is 0 or > MaxType || type[..^1].Contains('*', StringComparison.Ordinal))
        )
            throw Invalid(
                "types",
                $"'types' must have at most {MaxTypes} event types of 1 to {MaxType} characters. '*' may be the last one."
            );
        if (row.Description is { Length: > MaxDescription } || row.Description?.Any(char.IsControl) == true)
            throw Invalid("description", $"'description' must have at most {MaxDescription} characters, without control characters.");
        if (row.MaxPerSecond is < 0 or > MaxRate)
            throw Invalid("maxPerSecond", $"'maxPerSecond' must be 0 to {MaxRate}. 0 means no limit.");
        if (row.MaxConcurrent is < 1 or > MaxConcurrent)
            throw Invalid("maxConcurrent", $"'maxConcurrent' must be 1 to {MaxConcurrent}.");
    }

    public static DunlinException Invalid(string field, string detail) => new(ErrorCode.InvalidField, detail, field);
}
