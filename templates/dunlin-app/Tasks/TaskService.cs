using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;

namespace DunlinApp.Tasks;

/// <summary>Reads and changes tasks. A change and its event commit in one transaction.</summary>
internal sealed class TaskService(IStore store)
{
    private static readonly TopicName Topic = TopicName.Of("tasks", "all");

    /// <summary>Returns all tasks, and the position from which a stream continues without a gap.</summary>
    public ValueTask<TaskList> ListAsync(CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, token) =>
            {
                await using var db = await TaskDb.OnAsync(scope.Connection, null, token);
                return new TaskList(await db.Tasks.AsNoTracking().OrderBy(task => task.Id).ToListAsync(token), scope.Position.ToString());
            },
            cancellationToken
        );

    public ValueTask<TaskItem> AddAsync(string title, Caller caller, CancellationToken cancellationToken) =>
        ChangeAsync(
            "task.added",
            db =>
            {
                var task = new TaskItem { Title = title, Author = caller.Name };
                db.Tasks.Add(task);
                return Task.FromResult(task);
            },
            caller,
            cancellationToken
        );

    /// <summary>Marks a task.</summary>
    /// <exception cref="DunlinException">The task does not exist.</exception>
    public ValueTask<TaskItem> SetDoneAsync(long id, bool done, Caller caller, CancellationToken cancellationToken) =>
        ChangeAsync(
            "task.changed",
            async db =>
            {
                var task = await db.Tasks.FindAsync(id) ?? throw new DunlinException(ErrorCode.NotFound, $"No task with the id '{id}'.");
                task.Done = done;
                return task;
            },
            caller,
            cancellationToken
        );

    private ValueTask<TaskItem> ChangeAsync(
        string type,
        Func<TaskDb, Task<TaskItem>> change,
        Caller caller,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, token) =>
            {
                await using var db = await TaskDb.OnAsync(unit.Connection, unit.Transaction, token);
                var task = await change(db);
                await db.SaveChangesAsync(token);
                await unit.AppendAsync(EventDraft.Of(Topic, type, task, caller.AsOrigin()), token);
                return task;
            },
            cancellationToken
        );
}

/// <summary>The tasks and the position of the journal that they show.</summary>
internal sealed record TaskList(IReadOnlyList<TaskItem> Tasks, string Position);
