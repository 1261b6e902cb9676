using Dunlin.Backplane;
using Dunlin.Journal;

namespace Dunlin.Redis.Backplane;

/// <content>
/// Transient events: by Redis while this node hears itself there, through the store while it does not. A node that is deaf hears the
/// store alone; as it also speaks through it alone (at least every few seconds, by which nodes know of each other), the others
/// notice, and say everything both ways for a while. What comes both ways is known by its number and delivered once. What is under way
/// when Redis goes is lost.
/// </content>
internal sealed partial class RedisBackplane
{
    /// <summary>How long a node that was heard through the store may still be there only.</summary>
    private static readonly TimeSpan OthersAreDeaf = TimeSpan.FromSeconds(10);

    private readonly Lock _saying = new(); // guards _number, so that numbers grow along what is sent through the store
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
        // What has come by Redis already is from a node that says everything both ways, and is not deaf itself.
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
