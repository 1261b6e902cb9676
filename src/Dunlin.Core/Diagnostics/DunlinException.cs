using System.Globalization;

namespace Dunlin.Diagnostics;

/// <summary>An error with a row in the table of <see cref="ErrorCode"/>. Its message may be shown to the caller.</summary>
public class DunlinException : Exception
{
    /// <summary>Makes an error.</summary>
    /// <param name="code">The row of the table.</param>
    /// <param name="detail">What is wrong in this case; shown to the caller, so nothing secret. Null uses the row's title.</param>
    /// <param name="field">The field or parameter at fault, if it is one.</param>
    /// <param name="innerException">The cause; logged, never shown.</param>
    public DunlinException(ErrorCode code, string? detail = null, string? field = null, Exception? innerException = null)
        : base(detail ?? code.Title, innerException)
    {
        Code = code;
        Field = field;
    }

    /// <summary>The row of the table.</summary>
    public ErrorCode Code { get; }

    /// <summary>The field or parameter at fault.</summary>
    public string? Field { get; }

    /// <summary>How long to wait before trying again; null leaves it to the client.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Further members of the problem document, such as <c>holder</c> or <c>limit</c>. Values must be serialisable as JSON.
    /// </summary>
    public IReadOnlyDictionary<string, object?> Extensions { get; init; } = new Dictionary<string, object?>(StringComparer.Ordinal);

    /// <summary>A limit that only deleting, or the operator, can make room under: 429 with <c>limit</c>.</summary>
    /// <param name="limit">How many there can be.</param>
    /// <param name="what">What they are, and what they are counted by, for example <c>tasks for each user</c>.</param>
    /// <param name="field">The field of the request that asks for more; null where there is none.</param>
    public static DunlinException Limit(int limit, string what, string? field = null) =>
        new(ErrorCode.LimitReached, string.Create(CultureInfo.InvariantCulture, $"The limit is {limit} {what}."), field)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };
}
