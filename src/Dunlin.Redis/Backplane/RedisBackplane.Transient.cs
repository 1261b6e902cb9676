using Dunlin.Backplane;
using Dunlin.Journal;

namespace Dunlin.Redis.Backplane;

/// <content>
/// Transient events travel through Redis while this node receives its own heartbeats, and through the store while it does not. A deaf node
/// receives through the store only. It also sends through the store only, at least every few seconds, because nodes announce themselves.
/// The other nodes detect this and send all transient events both ways for a while. Receivers recognise an event by its number and deliver
/// it once. Events in transit are lost when Redis fails.
/// </content>
internal sealed partial class RedisBackplane
{
    /// <summary>How long a node that was received through the store is assumed to be deaf.</summary>
    private static readonly TimeSpan OthersAreDeaf = TimeSpan.FromSeconds(10);

    private readonly Lock _saying = new(); // guards _number, so that events reach the store in the order of numbers
    private readonly SeenNumbers _seen = new(TimeProvider.System);
    private long _number;
    private long _heardByStore = -1;

    public void Transient(IBackplaneNode from, DunlinEvent entry)
    {
        var hears = _isHearing;
        long number;
        lock (_saying)
        {
            number = ++_number;
            if (!hears || IsAnyDeaf())
                _store?.Send(new NumberedEvent(_id, number, entry));
        }
        if (hears || _store is null)
            Publish(new CommitNotification(_id, default, [entry], number));
    }

    private void OnHeardByStore(NumberedEvent heard)
    {
        // An event that also arrived through Redis comes from a node that sends both ways and is not deaf.
        if (Hear(heard))
            Interlocked.Exchange(ref _heardByStore, TimeProvider.System.GetTimestamp());
    }

    private bool Hear(NumberedEvent heard)
    {
        var isNew = _seen.Add(heard.Node, heard.Number);
        if (isNew)
            _node?.OnTransient(heard.Event);
        return isNew;
    }

    private bool IsAnyDeaf() =>
        Interlocked.Read(ref _heardByStore) is >= 0 and var heard && TimeProvider.System.GetElapsedTime(heard) < OthersAreDeaf;
}
