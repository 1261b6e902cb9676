using System.Text.Json.Nodes;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.RxDb;

/// <summary>
/// One collection of an RxDB database, kept as records: a document is a record whose key is <see cref="KeyPrefix"/> and the
/// document's primary key, and whose value is the whole document as JSON without <c>_deleted</c>. Several collections share
/// the spaces of a user. A primary key is used once in a collection, whoever may see it. Immutable once it is added.
/// </summary>
/// <param name="name">The name in the address of pull and push: 1 to 40 letters, digits, - and _.</param>
public sealed class RxCollection(string name)
{
    /// <summary>The name in the address of pull and push.</summary>
    public string Name { get; } = name;

    /// <summary>The version of the RxDB schema that pages of today have. Default: 0, RxDB's first.</summary>
    public int Schema { get; init; }

    /// <summary>The oldest version of the schema that is still served; pages with an older one are told <c>schema_outdated</c>
    /// (426). Default: null, only <see cref="Schema"/> is served.</summary>
    public int? OldestSchema { get; init; }

    /// <summary>The field that is the primary key in the schema. Default: <c>id</c>.</summary>
    public string PrimaryKey { get; init; } = "id";

    /// <summary>
    /// What the keys of its records begin with. No collection's prefix may begin another's. Default: the name and a slash.
    /// </summary>
    public string KeyPrefix { get; init; } = name + "/";

    /// <summary>The fields that a client may write. Every other field is the server's: what a client sends in it is dropped,
    /// and it takes no part in finding conflicts. The primary key and <c>_deleted</c> are not among them.</summary>
    public required IReadOnlyList<string> ClientFields { get; init; }

    /// <summary>Decides about each change that a client pushes, inside the unit of work that makes it. It may set fields of
    /// <see cref="RxWrite.Document"/>, change other records and rows, and must not leave the unit of work. What it throws is
    /// a refusal of this document alone: whatever was changed for it is rolled back. It may run more than once before it is
    /// committed, but commits at most once.</summary>
    public required Func<RxWrite, CancellationToken, ValueTask<RxDecision>> Decide { get; init; }

    /// <summary>Brings the client's fields into the form that is stored, such as a trimmed text. It sees the client's fields
    /// alone, must give the same for the same, and nothing new for its own result: conflicts are found by comparing what it
    /// made of both sides, so that a form that the server has changed is no conflict. It must not throw; validation belongs
    /// into <see cref="Decide"/>. Null: nothing is changed.</summary>
    public Action<JsonObject>? Normalize { get; init; }

    /// <summary>The resource on which another's lease keeps a document from being written; null for none. The client shows
    /// its own leases in the header <c>Dunlin-Lease</c>, comma-separated. Null: documents have no leases.</summary>
    public Func<RxWrite, ResourceName?>? Lease { get; init; }

    /// <summary>What a hint about one document tells beside its id, from the document as it is stored (null where it was
    /// deleted): only what everyone who may see the document may know. Null: the id alone.</summary>
    public Func<JsonObject, JsonObject>? Hint { get; init; }

    /// <summary>The type of the event of a hint. Default: <c>{name}:updated</c>.</summary>
    public string HintEvent { get; init; } = name + ":updated";

    /// <summary>What a deleted document holds beside its primary key and <c>_deleted</c>. A schema's required fields belong
    /// here, with values that say nothing: RxDB checks deleted documents too where schema validation is on, and stops pulling
    /// at one that does not fit. Default: nothing.</summary>
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
