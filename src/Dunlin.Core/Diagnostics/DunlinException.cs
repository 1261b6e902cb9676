using System.Globalization;

namespace Dunlin.Diagnostics;

/// <summary>An error with a code of the table <see cref="ErrorCode"/>. Its message may be shown to the caller.</summary>
public class DunlinException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="code">The error code.</param>
    /// <param name="detail">What is wrong in this case. Sent to the caller, so it must not contain secrets. Null uses the title of the
    /// code.</param>
    /// <param name="field">The field or parameter with the fault; null if there is none.</param>
    /// <param name="innerException">The cause. Logged, never sent to the caller.</param>
    public DunlinException(ErrorCode code, string? detail = null, string? field = null, Exception? innerException = null)
        : base(detail ?? code.Title, innerException)
    {
        Code = code;
        Field = field;
    }

    /// <summary>Gets the error code.</summary>
    public ErrorCode Code { get; }

    /// <summary>Gets the field or parameter with the fault; null if there is none.</summary>
    public string? Field { get; }

    /// <summary>Gets how long the client should wait before it retries; null if not specified.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Gets the extension members of the problem document (RFC 9457, section 3.2), such as <c>holder</c> or <c>limit</c>. Values must be
    /// serialisable as JSON.
    /// </summary>
    public IReadOnlyDictionary<string, object?> Extensions { get; init; } = new Dictionary<string, object?>(StringComparer.Ordinal);

    /// <summary>
    /// Creates the error for a limit on stored data: HTTP 429 with <c>limit</c>. The user must delete data, or the operator must raise the
    /// limit.
    /// </summary>
    /// <param name="limit">The limit.</param>
    /// <param name="what">The counted things and their scope, for example <c>tasks for each user</c>.</param>
    /// <param name="field">The field of the request that exceeds the limit; null if there is none.</param>
    public static DunlinException Limit(int limit, string what, string? field = null) =>
        new(ErrorCode.LimitReached, string.Create(CultureInfo.InvariantCulture, $"The limit is {limit} {what}."), field)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };
}
