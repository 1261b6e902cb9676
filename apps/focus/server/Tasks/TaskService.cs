using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Topics;

namespace Dunlin.Apps.Focus.Tasks;

/// <summary>The operations on one user's tasks. Each change commits together with its event.</summary>
internal sealed class TaskService(IStore store, UserDevices devices)
{
    public ValueTask<TaskList> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, _) => new TaskList(await TaskRows.ListAsync(scope.Connection, caller.UserId), scope.Position.ToString()),
            cancellationToken
        );

    /// <summary>Adds a task. A repeated request with the same client-chosen id returns the existing task.</summary>
    public ValueTask<(FocusTask Task, bool IsNew)> CreateAsync(
        Caller caller,
        string deviceId,
        string? id,
        string title,
        string notes,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                if (id is not null && await TaskRows.FindAsync(unit.Connection, unit.Transaction, caller.UserId, id) is { } known)
                    return (known, false);
                if (id is not null && await TaskRows.WasDeletedAsync(unit, caller.UserId, id))
                    throw new DunlinException(ErrorCode.Conflict, $"The task '{id}' was deleted. Use a new id.", "id");
                if (await TaskRows.CountAsync(unit.Connection, unit.Transaction, caller.UserId) >= FocusLimits.Tasks)
                    throw DunlinException.Limit(FocusLimits.Tasks, "tasks for each user; delete some first");
                var task = new FocusTask(
                    WireText.IdOrNew(id, "id"),
                    title,
                    notes,
                    IsDone: false,
                    0,
                    0,
                    WireTime.Of(unit.Now.ToUnixTimeMilliseconds())
                );
                return (await TaskRows.AddAsync(unit, devices, caller.UserId, task, deviceId, ct), true);
            },
            cancellationToken
        );

    public ValueTask<FocusTask> UpdateAsync(
        Caller caller,
        string deviceId,
        string id,
        IfMatch? expected,
        Func<FocusTask, FocusTask> change,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var before = await RequireAsync(unit, caller, id);
                var after = change(before);
                // A request without changes repeats one whose answer was lost: accept any version (RFC 9110, 13.1.1).
                if (after == before)
                    return before;
                if (expected?.Allows(before.Version) == false)
                    throw FocusErrors.Changed(before.Version, before);
                return await TaskRows.ChangeAsync(unit, devices, caller.UserId, after, deviceId, ct);
            },
            cancellationToken
        );

    public ValueTask DeleteAsync(Caller caller, string deviceId, string id, IfMatch? expected, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var before = await RequireAsync(unit, caller, id);
                if (expected?.Allows(before.Version) == false)
                    throw FocusErrors.Changed(before.Version, before);
                await TaskRows.DeleteAsync(unit, devices, caller.UserId, id, deviceId, ct);
            },
            cancellationToken
        );

    private static async Task<FocusTask> RequireAsync(IUnitOfWork unit, Caller caller, string id) =>
        await TaskRows.FindAsync(unit.Connection, unit.Transaction, caller.UserId, id)
        ?? throw new DunlinException(ErrorCode.NotFound, $"No task with id '{id}'.");
}

/// <summary>All tasks.</summary>
/// <param name="Items">The tasks, oldest first.</param>
/// <param name="Position">A journal position. The list contains all changes up to it.</param>
public sealed record TaskList(IReadOnlyList<FocusTask> Items, string Position);
