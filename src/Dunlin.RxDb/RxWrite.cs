using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.RxDb;

/// <summary>Defines the kinds of a pushed change.</summary>
public enum RxChange
{
    /// <summary>Creates a document that never existed.</summary>
    Insert,

    /// <summary>Changes fields.</summary>
    Update,

    /// <summary>Deletes the document.</summary>
    Delete,

    /// <summary>Restores a deleted document in its space.</summary>
    Restore,
}

/// <summary>Represents one pushed change of a document, without conflict, for <see cref="RxCollection.Decide"/>. Valid only inside that
/// function. Not thread-safe.</summary>
public sealed class RxWrite
{
    internal RxWrite(IUnitOfWork unit, RecordWriter records, IServiceProvider services, Caller caller) =>
        (Unit, Records, Services, Caller) = (unit, records, services, caller);

    /// <summary>Gets the collection.</summary>
    public required RxCollection Collection { get; init; }

    /// <summary>Gets the primary key, which the client chose.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the kind of the change.</summary>
    public required RxChange Change { get; init; }

    /// <summary>Gets the document to store: the server fields of the current document with the pushed, normalised client fields. Set server
    /// fields here. For a deletion it is a copy of the current document.</summary>
    public required JsonObject Document { get; init; }

    /// <summary>Gets the current document, or null for <see cref="RxChange.Insert"/> and <see cref="RxChange.Restore"/>. Do not modify
    /// it.</summary>
    public JsonObject? Master { get; init; }

    /// <summary>Gets the space of the document, which the caller may read, or null for <see cref="RxChange.Insert"/>.</summary>
    public SpaceName? Space { get; init; }

    /// <summary>Gets the user who pushes. The application itself must check what this user may write.</summary>
    public Caller Caller { get; }

    /// <summary>Gets the unit of work, for tables of the application.</summary>
    public IUnitOfWork Unit { get; }

    /// <summary>Gets the records. All users who can see a change made here receive a hint.</summary>
    public RecordWriter Records { get; }

    /// <summary>Gets the services of the application.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Returns <see cref="Document"/> as a typed value, deserialised from JSON in web style (camelCase by default).</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the document does not match the type. Thrown inside
    /// <see cref="RxCollection.Decide"/>, it refuses the document.</exception>
    public T As<T>()
        where T : notnull
    {
        try
        {
            return Document.Deserialize<T>(JsonSerializerOptions.Web)
                ?? throw new DunlinException(ErrorCode.InvalidField, "The document must not be null.");
        }
        catch (JsonException exception)
        {
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"The document does not fit at '{exception.Path}'.",
                exception.Path,
                exception
            );
        }
    }
}

/// <summary>Represents the decision on a pushed change. Immutable.</summary>
public sealed class RxDecision
{
    private RxDecision() { }

    internal SpaceName? Space { get; private init; }

    internal string? Audience { get; private init; }

    internal string? Refusal { get; private init; }

    internal string Reason { get; private init; } = "";

    /// <summary>Gets the decision to make the change in the document's space. Not valid for <see cref="RxChange.Insert"/>.</summary>
    public static RxDecision Write { get; } = new();

    /// <summary>Returns the decision to insert the new document in a space that the caller may read. The document stays in this
    /// space.</summary>
    /// <param name="space">The space. The deciding function may have created it: see <see cref="RecordWriter.GrantAsync"/>.</param>
    /// <param name="audience">The only user who may read the document. Null for all users who may read the space.</param>
    public static RxDecision Insert(SpaceName space, string? audience = null) => new() { Space = space, Audience = audience };

    /// <summary>Returns the decision to refuse the change. The client then reverts it.</summary>
    /// <param name="code">The error. The client receives its <see cref="ErrorCode.Code"/>.</param>
    /// <param name="reason">A reason for the server's use. The client does not receive it.</param>
    /// <remarks>Do not use it after changing records for the document; throw a <see cref="DunlinException"/> instead, which rolls those
    /// changes back.</remarks>
    public static RxDecision Refuse(ErrorCode code, string reason = "") => new() { Refusal = code.Code, Reason = reason };
}
