using System.Text.Json.Serialization;

namespace Dunlin.Apps.Warranty.Cases;

/// <summary>A branch of the repair service.</summary>
public sealed record Branch(long Id, string Code, string Name);

/// <summary>One repair under warranty, as it travels. <paramref name="Version"/> is the journal offset of its last change: of
/// two states of a case the one with the higher version is the newer.</summary>
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
/// <param name="Page">One-based.</param>
/// <param name="Limit">Cases to a page.</param>
/// <param name="Total">Cases that match.</param>
/// <param name="Position">The journal position that this page is at least as new as.</param>
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

/// <summary>A lease as the page shows it when saving: what it got when it took the lock.</summary>
public sealed record LeaseProof(string LeaseId, [property: JsonPropertyName("fence")] long FencingToken);
