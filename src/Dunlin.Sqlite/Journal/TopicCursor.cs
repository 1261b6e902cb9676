using Dunlin.Sqlite.Schema;
using Dunlin.Topics;

namespace Dunlin.Sqlite.Journal;

/// <summary>Reads the offsets of one topic in order, in chunks: those of events whose first topic it is, or of events that have it as a
/// further one. Not thread-safe.</summary>
internal sealed class TopicCursor(long id, TopicName topic, long after, long head, int chunk, bool isFurther = false)
{
    private static readonly SqlText PageOffsets = new("page_offsets");
    private static readonly SqlText PageFurtherOffsets = new("page_further_offsets");

    private readonly long[] _offsets = new long[chunk];
    private long _after = after;
    private int _count;
    private int _next;
    private bool _isLast;

    public TopicName Topic => topic;

    /// <summary>Returns the next offset, or null after the last one.</summary>
    public long? Next(Database database)
    {
        if (_next == _count)
        {
            if (_isLast)
                return null;
            Fetch(database);
        }
        return _next < _count ? _offsets[_next++] : null;
    }

    private void Fetch(Database database)
    {
        var row = database
            .Prepare(isFurther ? PageFurtherOffsets : PageOffsets)
            .Bind(1, id)
            .Bind(2, _after)
            .Bind(3, head)
            .Bind(4, _offsets.Length);
        (_count, _next) = (0, 0);
        while (_count < _offsets.Length && row.Step())
            _offsets[_count++] = row.Int64(0);
        row.Reset();
        _isLast = _count < _offsets.Length;
        if (_count > 0)
            _after = _offsets[_count - 1];
    }
}
