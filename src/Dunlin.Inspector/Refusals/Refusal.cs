namespace Dunlin.Inspector.Refusals;

/// <summary>A refused request, or several equal ones. It contains no credential. Immutable.</summary>
internal sealed record Refusal
{
    /// <summary>Gets <c>unauthorized</c>, <c>forbidden</c> or <c>origin</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Gets the status; 0 if the request was answered and only the browser refuses it.</summary>
    public required int Status { get; init; }

    public required string Code { get; init; }

    public required string Detail { get; init; }

    public string Node { get; init; } = "";

    public string Method { get; init; } = "";

    public string Path { get; init; } = "";

    public string? Address { get; init; }

    public string? UserId { get; init; }

    public string? Topic { get; init; }

    public string? Origin { get; init; }

    /// <summary>Gets the kind of the refused credential; null if there was none, or it was accepted.</summary>
    public string? Credential { get; init; }

    public string? Reason { get; init; }

    public string TraceId { get; init; } = "";

    public DateTimeOffset FirstAt { get; init; }

    public DateTimeOffset LastAt { get; init; }

    public int Count { get; init; } = 1;

    /// <summary>Gets why the request was refused, in plain words.</summary>
    public string Why { get; init; } = "";

    /// <summary>Gets what to change.</summary>
    public string Remedy { get; init; } = "";

    public bool IsSameAs(Refusal other) =>
        (Kind, Code, Method, Path, UserId, Topic, Origin, Credential, Reason, Address)
        == (
            other.Kind,
            other.Code,
            other.Method,
            other.Path,
            other.UserId,
            other.Topic,
            other.Origin,
            other.Credential,
            other.Reason,
            other.Address
        );
}
