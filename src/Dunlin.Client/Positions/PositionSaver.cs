namespace Dunlin.Client;

/// <summary>Saves the position of one subscription: at once while it is idle, and at most once for each interval while events keep
/// arriving. Not thread-safe.</summary>
internal sealed class PositionSaver(IPositionStore store, string name, TimeSpan interval, TimeProvider time)
{
    private StreamPosition? _saved;
    private StreamPosition? _offered;
    private long? _lastSave;

    public async ValueTask<StreamPosition?> LoadAsync(CancellationToken cancellationToken)
    {
        _saved = await store.LoadAsync(name, cancellationToken).ConfigureAwait(false);
        return _saved;
    }

    /// <summary>Takes a position whose event the consumer has processed.</summary>
    public async ValueTask OfferAsync(StreamPosition? position, bool isIdle, CancellationToken cancellationToken)
    {
        _offered = position;
        if (position is not { } wanted || wanted == _saved)
            return;
        if (!isIdle && _lastSave is { } last && time.GetElapsedTime(last) < interval)
            return;
        await store.SaveAsync(name, wanted, cancellationToken).ConfigureAwait(false);
        (_saved, _lastSave) = (wanted, time.GetTimestamp());
    }

    /// <summary>Saves the last processed position at the end of the subscription.</summary>
    public async ValueTask FlushAsync()
    {
        if (_offered is { } position && position != _saved)
            await store.SaveAsync(name, position, CancellationToken.None).ConfigureAwait(false);
        _saved = _offered;
    }
}
