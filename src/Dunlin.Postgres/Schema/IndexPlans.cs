using System.Collections.Frozen;

namespace Dunlin.Postgres.Schema;

/// <summary>
/// The statements that read a page of a table in the order of an index, and the planner settings under which they run. With these settings
/// PostgreSQL can only scan the index, with or without statistics of the table.
/// </summary>
/// <remarks>
/// Without statistics, or with outdated ones, the planner expects few rows. It then reads all rows after the page's start, sorts them, and
/// returns the first ones: reading N rows in pages reads N squared. Settings of one transaction also work behind a transaction pooler.
/// </remarks>
internal static class IndexPlans
{
    /// <summary>Sets the planner for the transaction, and stores the previous settings in it. Returns one row.</summary>
    public static readonly SqlText Begin = new("plan_begin");

    /// <summary>Restores the settings from before <see cref="Begin"/>: the application may use the same transaction. Returns one
    /// row.</summary>
    public static readonly SqlText End = new("plan_end");

    public static readonly FrozenSet<string> Statements = FrozenSet.ToFrozenSet(
        [
            "export_trimmed",
            "forget_idempotency",
            "lease_due",
            "lease_list",
            "lease_list_by_session",
            "lease_list_held",
            "record_read",
            "stream_expired",
            "stream_links_list",
            "stream_links_pending",
            "stream_list",
            "stream_subscription_due",
            "stream_trim_due",
            "ticket_forget_expired",
            "trim_slice",
            "trim_topics",
            "webhook_deliveries_list",
        ],
        StringComparer.Ordinal
    );
}
