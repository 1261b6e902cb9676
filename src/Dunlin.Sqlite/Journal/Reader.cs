using Dunlin.Sqlite.Schema;
using Dunlin.Topics;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>One read-only connection of the pool, with what it remembers between uses. Used by one at a time.</summary>
internal sealed class Reader(Database database) : IDisposable
{
    /// <summary>Topics whose names are remembered; bounds memory.</summary>
    private const int MaxKnownTopics = 4_096;

    private static readonly SqlText BeginRead = new("begin_read");
    private static readonly SqlText EndRead = new("end_read");
    private static readonly SqlText TopicNameSql = new("topic_name");

    private readonly Dictionary<long, TopicName> _topics = [];
    private volatile bool _isBroken;

    public Database Database => database;

    /// <summary>Texts that come again and again, such as event types.</summary>
    public Utf8Cache Texts { get; } = new();

    /// <summary>Whether it must not be used again.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>Opens a snapshot: everything committed before this call is in it.</summary>
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
            // It is closed instead of going back to the pool.
            _isBroken = true;
        }
    }

    /// <summary>Stops what runs and lets go of the snapshot, whoever still holds it; from another thread.</summary>
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
        name = Topics.TopicName.Parse(find.Text(0));
        find.Reset();
        if (_topics.Count >= MaxKnownTopics)
            _topics.Clear();
        _topics.Add(id, name);
        return name;
    }

    public void Dispose() => database.Dispose();
}
