using Dunlin.Consumers;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Consumers;

/// <summary>The consumer groups of one scope. A unit of work holds the lock of the writer, so the rows cannot change concurrently. Not
/// thread-safe.</summary>
/// <param name="session">Returns the session. Throws after the end of the scope.</param>
/// <param name="isWritable">Whether the scope is a unit of work.</param>
internal sealed class ConsumerTable(Func<ISqlSession> session, bool isWritable) : IConsumerTable
{
    public ValueTask<ConsumerRow?> FindAsync(string group, CancellationToken cancellationToken) =>
        session().Call("consumer_find").Text(group).FindAsync(ReadRow, cancellationToken);

    public ValueTask<IReadOnlyList<ConsumerRow>> ListAsync(CancellationToken cancellationToken) =>
        session().Call("consumer_list").ListAsync(ReadRow, cancellationToken);

    public async ValueTask SaveAsync(ConsumerRow row, CancellationToken cancellationToken) =>
        await Writable()
            .Call("consumer_save")
            .Text(row.Group)
            .Number(row.Through)
            .Text(row.Holder)
            .Number(row.Token)
            .Time(row.Until)
            .Number(row.Failures)
            .Time(row.RetryAt)
            .Text(row.Fault)
            .RunAsync(cancellationToken);

    public async ValueTask RemoveAsync(string group, CancellationToken cancellationToken) =>
        await Writable().Call("consumer_remove").Text(group).RunAsync(cancellationToken);

    private static ConsumerRow ReadRow(ISqlRow row) =>
        new(row.Text(0))
        {
            Through = row.Number(1),
            Holder = row.TextOrNull(2),
            Token = row.Number(3),
            Until = row.TimeOrNull(4),
            Failures = (int)row.Number(5),
            RetryAt = row.TimeOrNull(6),
            Fault = row.TextOrNull(7),
        };

    private ISqlSession Writable() =>
        isWritable ? session() : throw new InvalidOperationException("A read scope cannot change consumer groups. Use a unit of work.");
}
