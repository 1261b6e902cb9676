using System.Collections.Concurrent;
using Dunlin.Diagnostics;
using Dunlin.Sqlite.Schema;

namespace Dunlin.Sqlite.Journal;

/// <summary>The connections for reading: opened when needed, up to a number; further readers wait. Safe for concurrent use.</summary>
internal sealed class ReaderPool(Func<Database> open, int size) : IDisposable
{
    private readonly SemaphoreSlim _free = new(size, size);
    private readonly ConcurrentStack<Reader> _idle = new();
    private volatile bool _isClosed;

    /// <summary>A reader, to be given back with <see cref="Return"/>. Completes at once while there is a free one.</summary>
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
        // Closed in between: what was pushed late is taken out again.
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
