using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.RxDb;

/// <summary>What a client wants with a document.</summary>
public enum RxChange
{
    /// <summary>A document that was never there.</summary>
    Insert,

    /// <summary>Other values.</summary>
    Update,

    /// <summary>It shall be deleted.</summary>
    Delete,

    /// <summary>A deleted document shall live again, in its space.</summary>
    Restore,
}

/// <summary>One change of one document that a client has pushed and that conflicts with nothing: for
/// <see cref="RxCollection.Decide"/>. Valid inside it only.</summary>
public sealed class RxWrite
{
    internal RxWrite(IUnitOfWork unit, RecordWriter records, IServiceProvider services, Caller caller) =>
        (Unit, Records, Services, Caller) = (unit, records, services, caller);

    /// <summary>The collection.</summary>
    public required RxCollection Collection { get; init; }

    /// <summary>The primary key, as the client chose it.</summary>
    public required string Id { get; init; }

    /// <summary>What the client wants.</summary>
    public required RxChange Change { get; init; }

    /// <summary>The document as it will be stored: the server's fields of the document that was there, with the client's
    /// fields as they were pushed and normalised. Set server fields here. For a deletion: what was there.</summary>
    public required JsonObject Document { get; init; }

    /// <summary>The document as it is now, not to be changed; null for <see cref="RxChange.Insert"/> and
    /// <see cref="RxChange.Restore"/>, which find nothing.</summary>
    public JsonObject? Master { get; init; }

    /// <summary>Where the document lies; null for <see cref="RxChange.Insert"/>. The caller may read it.</summary>
    public SpaceName? Space { get; init; }

    /// <summary>Who pushes. Whether this user may write is for the application to say.</summary>
    public Caller Caller { get; }

    /// <summary>The unit of work, for tables of the application beside the records.</summary>
    public IUnitOfWork Unit { get; }

    /// <summary>The records. All who see a change made here are given a hint.</summary>
    public RecordWriter Records { get; }

    /// <summary>The services of the application.</summary>
    public IServiceProvider Services { get; }

    /// <summary><see cref="Document"/> as a typed value, JSON in web style (camelCase unless named otherwise).</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: it does not fit; the document is refused.</exception>
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

/// <summary>What becomes of a pushed change.</summary>
public sealed class RxDecision
{
    private RxDecision() { }

    internal SpaceName? Space { get; private init; }

    internal string? Audience { get; private init; }

    internal string? Refusal { get; private init; }

    internal string Reason { get; private init; } = "";

    /// <summary>The change is made where the document lies. Not for <see cref="RxChange.Insert"/>.</summary>
    public static RxDecision Write { get; } = new();

    /// <summary>The new document is put into a space that the caller may read; it stays in this space.</summary>
    /// <param name="space">The space. The decision may have made it: see <see cref="RecordWriter.GrantAsync"/>.</param>
    /// <param name="audience">The only user who may read the document; null for all who may read the space.</param>
    public static RxDecision Insert(SpaceName space, string? audience = null) => new() { Space = space, Audience = audience };

    /// <summary>The change is not made: the client takes its own back. Nothing may have been changed for it; throw a
    /// <see cref="DunlinException"/> where something was.</summary>
    /// <param name="code">Which error it is; the client is told its <see cref="ErrorCode.Code"/>.</param>
    /// <param name="reason">For the log. The client is not told.</param>
    public static RxDecision Refuse(ErrorCode code, string reason = "") => new() { Refusal = code.Code, Reason = reason };
}
