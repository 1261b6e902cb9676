using System.Text.Json;

namespace Dunlin.Client;

/// <summary>Describes a failed request or stream (RFC 9457). Immutable.</summary>
public sealed record ClientProblem
{
    /// <summary>Gets what failed.</summary>
    public required ProblemKind Kind { get; init; }

    /// <summary>Gets the stable error code of the server, such as <c>lease_held</c>. Failures that the client detected have codes of its
    /// own: <c>network</c>, <c>silent</c>, <c>notAStream</c>, <c>http.502</c>.</summary>
    public required string Code { get; init; }

    /// <summary>Gets what the code means.</summary>
    public required string Title { get; init; }

    /// <summary>Gets what the caller should do.</summary>
    public ProblemClass Class { get; init; } = ProblemClass.Stop;

    /// <summary>Gets the HTTP status. Null if there was no answer.</summary>
    public int? Status { get; init; }

    /// <summary>Gets the fault of this request. Null if the server sent none.</summary>
    public string? Detail { get; init; }

    /// <summary>Gets the remedy. Null if the server did not name one.</summary>
    public string? Hint { get; init; }

    /// <summary>Gets the address of the section about the code in the error reference. Null if there is none.</summary>
    public string? Link { get; init; }

    /// <summary>Gets the field, parameter or header with the error. Null if there is none.</summary>
    public string? Field { get; init; }

    /// <summary>Gets the first topic that the caller may not read, of a 403. Null otherwise.</summary>
    public string? Topic { get; init; }

    /// <summary>Gets the delay of <c>Retry-After</c>. Null if the answer has none.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Gets why a lease is lost: <c>expired</c>, <c>taken</c>, <c>handedOff</c>, <c>released</c> or <c>unknown</c>. Null for other
    /// problems.</summary>
    public string? LostReason { get; init; }

    /// <summary>Gets the holder of a lease, of the kinds <see cref="ProblemKind.Held"/> and <see cref="ProblemKind.Lost"/>. Null if the
    /// server named none.</summary>
    public LeaseHolder? Holder { get; init; }

    /// <summary>Gets the whole problem document, for members that only the application knows. Null without a document.</summary>
    public JsonElement? Document { get; init; }

    /// <summary>Gets whether the same request may succeed later. It may have been carried out: repeat it with its key or id.</summary>
    public bool IsTemporary => Kind is ProblemKind.Network or ProblemKind.Busy or ProblemKind.OutcomeUnknown;

    internal string Text
    {
        get
        {
            var text = $"{Code}: {Detail ?? Title}";
            if (Hint is not null)
                text += " " + Hint;
            return Link is null ? text : $"{text} See {Link}";
        }
    }

    internal static ClientProblem Network(string title, string code = "network") =>
        new()
        {
            Kind = ProblemKind.Network,
            Code = code,
            Title = title,
            Class = ProblemClass.Retry,
        };

    internal static ClientProblem Unexpected(string code, string title, int? status = null) =>
        new()
        {
            Kind = ProblemKind.Unexpected,
            Code = code,
            Title = title,
            Status = status,
        };

    internal static readonly ClientProblem SessionEnded = new()
    {
        Kind = ProblemKind.SignedOut,
        Code = "signedOut",
        Title = "The session has ended.",
        Hint = "Sign in again, so that GetToken returns a new token.",
    };
}

/// <summary>The exception with which all calls of this package fail, except for invalid arguments and cancellation.</summary>
public sealed class DunlinClientException : Exception
{
    /// <summary>Creates an exception for a problem.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="inner">The cause. Default: null.</param>
    /// <exception cref="ArgumentNullException"><paramref name="problem"/> is null.</exception>
    public DunlinClientException(ClientProblem problem, Exception? inner = null)
        : base((problem ?? throw new ArgumentNullException(nameof(problem))).Text, inner) => Problem = problem;

    /// <summary>Gets the problem.</summary>
    public ClientProblem Problem { get; }
}
