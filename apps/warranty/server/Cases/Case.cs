using System.Text.Json.Serialization;

namespace Dunlin.Apps.Warranty.Cases;

/// <summary>A branch of the repair service.</summary>
public sealed record Branch(long Id, string Code, string Name);

/// <summary>
/// A warranty repair on the wire. <paramref name="Version"/> is the journal offset of its last change. Of two states of a case, the one
/// with the higher version is newer.
/// </summary>
public sealed record Case(
    long Id,
    long BranchId,
    string ServiceNo,
    string Status,
    string CustomerName,
    string CustomerContact,
    string CustomerEmail,
    string Address,
    string PurchaseDate,
    string Invoice,
    string ReceivedItems,
    string Issues,
    string Solutions,
    string Remarks,
    string Cost,
    string Staff,
    long Version,
    long CreatedAt
);

/// <summary>A page of cases.</summary>
/// <param name="Items">The cases.</param>
/// <param name="Page">The page number, from 1.</param>
/// <param name="Limit">Cases per page.</param>
/// <param name="Total">Number of matching cases.</param>
/// <param name="Position">A journal position. The page contains all changes up to it.</param>
public sealed record CasePage(IReadOnlyList<Case> Items, int Page, int Limit, long Total, string Position);

/// <summary>One overwritten value.</summary>
public sealed record HistoryEntry(
    long Version,
    string Field,
    string OldValue,
    string NewValue,
    string UserId,
    string UserName,
    long ChangedAt
);

/// <summary>The id and fencing token of a lease that the page acquired, sent with a save.</summary>
public sealed record LeaseProof(string LeaseId, [property: JsonPropertyName("fence")] long FencingToken);
