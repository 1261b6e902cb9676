using Dunlin.Sqlite.Schema;
using Dunlin.Topics;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>A read-only connection of the pool with its caches. Not thread-safe, except <see cref="Break"/>.</summary>
internal sealed class Reader(Database database) : IDisposable
{
    /// <summary>The maximum number of cached topic names.</summary>
    private const int MaxKnownTopics = 4_096;

    private static readonly SqlText BeginRead = new("begin_read");
    private static readonly SqlText EndRead = new("end_read");
    private static readonly SqlText TopicNameSql = new("topic_name");

    private readonly Dictionary<long, TopicName> _topics = [];
    private volatile bool _isBroken;

    public Database Database => database;

    /// <summary>Gets the cache of recurring texts, such as event types.</summary>
    public Utf8Cache Texts { get; } = new();

    /// <summary>Gets whether the reader must not be used again.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>Opens a snapshot that includes all commits before this call.</summary>
    public void Begin() => database.Prepare(BeginRead).Run();

    public void End()
    {
        if (_isBroken)
            return;
        try
        {
            if (database.InTransaction)
                database.Prepare(EndRead).Run();
        }
        catch (Exception)
        {
            // The pool closes a broken reader.
            _isBroken = true;
        }
    }

    /// <summary>Interrupts the running statement and releases the snapshot, even while in use. May be called from another thread.</summary>
    public void Break()
    {
        _isBroken = true;
        raw.sqlite3_interrupt(database.Handle);
        database.Dispose();
    }

    public TopicName TopicName(long id)
    {
        if (_topics.TryGetValue(id, out var name))
            return name;
        var find = database.Prepare(TopicNameSql).Bind(1, id);
        if (!find.Step())
            throw new InvalidOperationException(
                $"The journal has an event of topic {id}, which does not exist: the database is damaged. Restore a backup."
            );
        name = Topics.TopicName.FromStored(find.Text(0));
        find.Reset();
        if (_topics.Count >= MaxKnownTopics)
            _topics.Clear();
        _topics.Add(id, name);
        return name;
    }

    public void Dispose() => database.Dispose();
}
