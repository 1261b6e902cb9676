using System.Collections.Concurrent;
using Dunlin.Diagnostics;
using Dunlin.Sqlite.Schema;

namespace Dunlin.Sqlite.Journal;

/// <summary>Pools connections for reading. It opens them on demand, up to a limit; further readers wait. Thread-safe.</summary>
internal sealed class ReaderPool(Func<Database> open, int size) : IDisposable
{
    private readonly SemaphoreSlim _free = new(size, size);
    private readonly ConcurrentStack<Reader> _idle = new();
    private volatile bool _isClosed;

    /// <summary>Returns a reader, which the caller gives back with <see cref="Return"/>. Completes synchronously while a reader is
    /// free.</summary>
    public async ValueTask<Reader> RentAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        try
        {
            if (_isClosed)
                throw new DunlinException(ErrorCode.StoreUnavailable, "The store is closed.");
            return _idle.TryPop(out var reader) ? reader : new Reader(open());
        }
        catch
        {
            _free.Release();
            throw;
        }
    }

    public void Return(Reader reader)
    {
        reader.End();
        if (reader.IsBroken || _isClosed)
            reader.Dispose();
        else
            _idle.Push(reader);
        // The pool may have been closed since the check above: remove the reader again.
        if (_isClosed)
            CloseIdle();
        _free.Release();
    }

    public void Dispose()
    {
        _isClosed = true;
        CloseIdle();
    }

    private void CloseIdle()
    {
        while (_idle.TryPop(out var reader))
            reader.Dispose();
    }
}
