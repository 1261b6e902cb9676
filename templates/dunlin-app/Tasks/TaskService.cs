using Dunlin.Diagnostics;
using Dunlin.EntityFrameworkCore;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;

namespace DunlinApp.Tasks;

/// <summary>Reads and changes tasks. A change and its event commit in one transaction.</summary>
internal sealed class TaskService(IStore store, TaskDb db)
{
    private static readonly TopicName Topic = TopicName.Of("tasks", "all");

    /// <summary>Returns all tasks, and the position from which a stream continues without a gap.</summary>
    public async Task<TaskList> ListAsync(CancellationToken cancellationToken)
    {
        // Read before the rows: they then have every event up to it.
        var position = await db.PublishedPositionAsync(cancellationToken);
        var tasks = await db.Tasks.AsNoTracking().OrderBy(task => task.Id).ToListAsync(cancellationToken);
        return new TaskList(tasks, position.ToString());
    }

    public ValueTask<TaskItem> AddAsync(string title, Caller caller, CancellationToken cancellationToken)
    {
        var task = new TaskItem { Title = title, Author = caller.Name };
        db.Tasks.Add(task);
        return SaveAsync("task.added", task, caller, cancellationToken);
    }

    /// <summary>Marks a task.</summary>
    /// <exception cref="DunlinException">The task does not exist.</exception>
    public async Task<TaskItem> SetDoneAsync(long id, bool done, Caller caller, CancellationToken cancellationToken)
    {
        var task =
            await db.Tasks.FindAsync([id], cancellationToken)
            ?? throw new DunlinException(ErrorCode.NotFound, $"No task with the id '{id}'.");
        task.Done = done;
        return await SaveAsync("task.changed", task, caller, cancellationToken);
    }

    private ValueTask<TaskItem> SaveAsync(string type, TaskItem task, Caller caller, CancellationToken cancellationToken) =>
        store.WriteAsync(
            db,
            async (unit, token) =>
            {
                await db.SaveChangesAsync(token); // the database chooses the id of a new task
                await unit.AppendAsync(EventDraft.Of(Topic, type, task, caller.AsOrigin()), token);
                return task;
            },
            cancellationToken
        );
}

/// <summary>The tasks and the position of the journal that they show.</summary>
internal sealed record TaskList(IReadOnlyList<TaskItem> Tasks, string Position);
