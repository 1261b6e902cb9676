using System.Text.Json.Nodes;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.RxDb;

/// <summary>Describes a collection of an RxDB database, which is stored as records. Immutable once added.</summary>
/// <param name="name">The name in the path of pull and push: 1 to 40 letters, digits, - and _.</param>
/// <remarks>
/// A document is a record. Its key is <see cref="KeyPrefix"/> followed by the document's primary key, and its value is the whole document
/// as JSON without <c>_deleted</c>. Several collections share the spaces of a user. A primary key is unique in its collection, across all
/// users.
/// </remarks>
public sealed class RxCollection(string name)
{
    /// <summary>Gets the name in the path of pull and push.</summary>
    public string Name { get; } = name;

    /// <summary>Gets the current version of the RxDB schema. Default: 0, the first version in RxDB.</summary>
    public int Schema { get; init; }

    /// <summary>Gets the oldest served version of the schema. Pages with an older version get <c>schema_outdated</c> (426). Default: null,
    /// which serves only <see cref="Schema"/>.</summary>
    public int? OldestSchema { get; init; }

    /// <summary>Gets the primary key field of the schema. Default: <c>id</c>.</summary>
    public string PrimaryKey { get; init; } = "id";

    /// <summary>Gets the prefix of the keys of the collection's records. No prefix may be a prefix of another collection's. Default: the
    /// name and a slash.</summary>
    public string KeyPrefix { get; init; } = name + "/";

    /// <summary>Gets the fields that a client may write.</summary>
    /// <remarks>All other fields belong to the server: the server ignores values that a client sends for them, and conflict detection
    /// ignores them. The primary key and <c>_deleted</c> must not be listed.</remarks>
    public required IReadOnlyList<string> ClientFields { get; init; }

    /// <summary>Gets the function that decides on each pushed change, inside the unit of work that makes the change.</summary>
    /// <remarks>It may set fields of <see cref="RxWrite.Document"/> and change other records and rows, all inside the unit of work. An
    /// exception refuses this document only, and its changes are rolled back. The function may run several times before it commits, and
    /// commits at most once.</remarks>
    public required Func<RxWrite, CancellationToken, ValueTask<RxDecision>> Decide { get; init; }

    /// <summary>Gets the function that normalises the client's fields before they are stored, for example trims a text. Default: null,
    /// which changes nothing.</summary>
    /// <remarks>It receives the client's fields only. It must be deterministic and idempotent: conflict detection compares the normalised
    /// fields of both sides, so that a normalisation by the server is no conflict. It must not throw; validate in
    /// <see cref="Decide"/>.</remarks>
    public Action<JsonObject>? Normalize { get; init; }

    /// <summary>Gets the function that returns the resource whose lease protects a document, or null for no lease. Default: null, which
    /// means that documents have no leases.</summary>
    /// <remarks>A write fails while another caller holds the lease. The client sends the ids of its own leases in the header
    /// <c>Dunlin-Lease</c>, separated by commas.</remarks>
    public Func<RxWrite, ResourceName?>? Lease { get; init; }

    /// <summary>Gets the function that returns additional data for the hint of a document. Default: null, which sends only the
    /// id.</summary>
    /// <remarks>It receives the stored document and is not called for a deletion. Return only data that all users who may see the document
    /// may know.</remarks>
    public Func<JsonObject, JsonObject>? Hint { get; init; }

    /// <summary>Gets the event type of a hint. Default: <c>{name}:updated</c>.</summary>
    public string HintEvent { get; init; } = name + ":updated";

    /// <summary>Gets the fields of a deleted document other than its primary key and <c>_deleted</c>. Default: none.</summary>
    /// <remarks>Add the required fields of the schema with neutral values. With schema validation, RxDB also validates deleted documents,
    /// and stops pulling at an invalid one.</remarks>
    public JsonObject Tombstone { get; init; } = [];

    internal int ServedFrom => OldestSchema ?? Schema;

    internal string KeyOf(string id) => KeyPrefix + id;

    internal string IdOf(string key) => key[KeyPrefix.Length..];

    internal string? Fault() =>
        Name.Length is 0 or > 40 || !Name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? "its name must have 1 to 40 letters, digits, - and _"
        : KeyPrefix.Length is 0 or > RecordLimits.MaxKeyLength / 2
            ? $"its key prefix must have 1 to {RecordLimits.MaxKeyLength / 2} characters"
        : Schema < 0 || ServedFrom < 0 || ServedFrom > Schema ? "OldestSchema must be between 0 and Schema"
        : ClientFields.Contains(PrimaryKey, StringComparer.Ordinal) ? "its client fields must include the primary key"
        : ClientFields.Any(static f => f.Length == 0 || f[0] == '_') ? "fields must not begin with _, which RxDB reserves"
        : null;
}
