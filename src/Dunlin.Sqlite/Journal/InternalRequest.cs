global using WriteRequest = Dunlin.Journal.WriteRequest<Dunlin.Sqlite.Journal.WriterSession>;

namespace Dunlin.Sqlite.Journal;

/// <summary>A small change by the store itself, such as a slice of trimming or one account.</summary>
internal sealed class InternalRequest<T>(Func<WriterSession, T> work, CancellationToken cancellation) : Dunlin.Journal.WriteRequest<WriterSession, T>(cancellation)
{
    public override ValueTask ExecuteAsync(WriterSession session)
    {
        Result = work(session);
        return default;
    }
}
