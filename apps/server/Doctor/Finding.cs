namespace Dunlin.Server.Doctor;

internal enum FindingLevel
{
    Ok,
    Warn,
    Fail,
}

/// <summary>One result of the examination of a server. Immutable.</summary>
/// <param name="Check">The name of the check, such as <c>buffering</c>.</param>
/// <param name="Level">Whether the result is good.</param>
/// <param name="Text">The finding in one sentence.</param>
/// <param name="Remedy">What to do; null if there is nothing to do.</param>
internal sealed record Finding(string Check, FindingLevel Level, string Text, string? Remedy = null)
{
    public static Finding Ok(string check, string text) => new(check, FindingLevel.Ok, text);

    public static Finding Warn(string check, string text, string remedy) => new(check, FindingLevel.Warn, text, remedy);

    public static Finding Fail(string check, string text, string remedy) => new(check, FindingLevel.Fail, text, remedy);
}
