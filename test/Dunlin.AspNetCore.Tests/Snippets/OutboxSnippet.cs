using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The code of docs/guides/sql.md, compiled. The test holds the two against each other.</summary>
internal static class OutboxSnippet
{
    public static async Task<Position> RunAsync(DbConnection connection, IOutbox outbox)
    {
        // <outbox>
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "UPDATE orders SET state = 'paid' WHERE id = 7";
        await command.ExecuteNonQueryAsync();
        var paid = EventDraft.Of(TopicName.Parse("orders/7"), "order.paid", new { state = "paid" });
        await outbox.AddAsync(connection, transaction, [paid]);
        await transaction.CommitAsync();

        // Only if you need a position for "read your writes".
        var position = await outbox.FlushAsync();
        // </outbox>
        return position;
    }
}
