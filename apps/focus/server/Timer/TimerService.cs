using Dunlin.Apps.Focus.Devices;
using Dunlin.Apps.Focus.Tasks;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>
/// The timers of all users. Each command is one unit of work: the passage of time, the command, the task's log and the events commit
/// together or not at all.
/// </summary>
internal sealed class TimerService(IStore store, UserDevices devices, TimerSchedule schedule)
{
    public ValueTask<TimerAnswer> GetAsync(Caller caller, CancellationToken cancellationToken) =>
        store.ReadAsync(
            async (scope, _) =>
            {
                var row = await TimerRows.FindAsync(scope.Connection, null, caller.UserId);
                var name = row.State is null ? "" : await FocusDevices.NameAsync(scope.Connection, null, row.State.DeviceId);
                return new TimerAnswer(row.State is null ? null : TimerView.Of(row.State, name, row.Version), row.Version, scope.Now);
            },
            cancellationToken
        );

    public ValueTask<IReadOnlyList<SessionView>> SessionsAsync(Caller caller, CancellationToken cancellationToken) =>
        store.ReadAsync(async (scope, _) => await TimerRows.SessionsAsync(scope.Connection, caller.UserId, limit: 50), cancellationToken);

    /// <summary>Returns the timers that started in an interval, at most as many as are kept.</summary>
    public ValueTask<IReadOnlyList<SessionView>> SessionsAsync(
        Caller caller,
        DateTimeOffset from,
        DateTimeOffset to,
        CancellationToken cancellationToken
    )
    {
        if (to <= from)
            throw new DunlinException(ErrorCode.InvalidField, "'to' must be after 'from'.", "to");
        return store.ReadAsync(
            async (scope, _) => await TimerRows.SessionsAsync(scope.Connection, caller.UserId, from, to),
            cancellationToken
        );
    }

    /// <summary>Runs a command of a device that belongs to the caller.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.Conflict"/>: the command was refused, with <c>reason</c>, <c>deviceName</c>, <c>taskTitle</c> and
    /// <c>startedAt</c>. <see cref="ErrorCode.NotFound"/>: the task does not exist.
    /// </exception>
    public async ValueTask<TimerAnswer> CommandAsync(Caller caller, TimerCommand command, CancellationToken cancellationToken)
    {
        var outcome = await store.WriteAsync((unit, ct) => TakeAsync(unit, caller.UserId, command, ct), cancellationToken);
        schedule.Watch(caller.UserId, outcome.DueAt);
        return outcome.Answer ?? throw outcome.Refusal!;
    }

    /// <summary>
    /// Continues the timer that was cancelled last, on the requesting device. The time since the cancellation does not count.
    /// </summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.Conflict"/>: another timer is active, or has been since, or the timer was not cancelled.
    /// </exception>
    public async ValueTask<TimerAnswer> RestoreAsync(Caller caller, string deviceId, string timerId, CancellationToken cancellationToken)
    {
        var outcome = await store.WriteAsync((unit, ct) => RestoreAsync(unit, caller.UserId, deviceId, timerId, ct), cancellationToken);
        schedule.Watch(caller.UserId, outcome.DueAt);
        return outcome.Answer ?? throw outcome.Refusal!;
    }

    private async ValueTask<Outcome> RestoreAsync(
        IUnitOfWork unit,
        string userId,
        string deviceId,
        string timerId,
        CancellationToken cancellationToken
    )
    {
        var row = await TimerRows.FindAsync(unit.Connection, unit.Transaction, userId);
        var now = unit.Now.ToUnixTimeMilliseconds();
        row = (await KeepAsync(unit, row, TimerMachine.Advance(row.State, now), null, cancellationToken)).Row;
        var isActive = row.State is { } same && same.Id == timerId && same.DeviceId == deviceId;
        if (row.State is null && row.Cancelled is { } cancelled && cancelled.Id == timerId)
        {
            await TimerRows.DeleteSessionAsync(unit, userId, timerId);
            var restored = cancelled with { AsOf = now, DeviceId = deviceId };
            row = (await KeepAsync(unit, row, new TimerStep(restored, [new TimerStarted(restored)]), deviceId, cancellationToken)).Row;
            isActive = true;
        }
        var name = row.State is null ? null : await FocusDevices.NameAsync(unit, row.State.DeviceId);
        var refusal =
            row.State is null ? TimerRefusal.NotCancelled
            : row.State.DeviceId == deviceId ? TimerRefusal.AlreadyRunning
            : TimerRefusal.OnOtherDevice;
        return isActive
            ? new Outcome(Answer(unit, row, name, null), null, row.State?.DueAt)
            : new Outcome(null, TimerErrors.Of(refusal, row.State, name), row.State?.DueAt);
    }

    /// <summary>Advances the timer to the current time. Idempotent; called by the schedule.</summary>
    public async ValueTask<long?> SettleAsync(string userId, CancellationToken cancellationToken) =>
        await store.WriteAsync(
            async (unit, ct) =>
            {
                var row = await TimerRows.FindAsync(unit.Connection, unit.Transaction, userId);
                var now = unit.Now.ToUnixTimeMilliseconds();
                row = (await KeepAsync(unit, row, TimerMachine.Advance(row.State, now), null, ct)).Row;
                return row.State?.DueAt;
            },
            cancellationToken
        );

    private async ValueTask<Outcome> TakeAsync(IUnitOfWork unit, string userId, TimerCommand command, CancellationToken cancellationToken)
    {
        if (command is StartTimer start)
            command = await CompleteAsync(unit, userId, start);
        if (command is MoveTimer move)
            await FocusDevices.RequireOwnedAsync(unit.Connection, unit.Transaction, userId, move.TargetDeviceId, "targetDeviceId");
        var id = command is StartTimer started ? started.Id : command.TimerId;
        var before = id is null ? null : await TimerRows.SessionAsync(unit.Connection, unit.Transaction, userId, id);
        var row = await TimerRows.FindAsync(unit.Connection, unit.Transaction, userId);
        var now = unit.Now.ToUnixTimeMilliseconds();
        if (before is not null)
            return await RepeatedAsync(unit, row, command, before);
        var step = TimerMachine.Apply(row.State, command, now);
        (row, var ended) = await KeepAsync(unit, row, step, command.DeviceId, cancellationToken);
        var name = row.State is null ? null : await FocusDevices.NameAsync(unit, row.State.DeviceId);
        // A timer that reached its end just before "complete" counts as completed by the command.
        var isDone = step.Refusal is null || (command is CompleteTimer && ended is not null && (id is null || ended.Id == id));
        return isDone
            ? new Outcome(Answer(unit, row, name, ended), null, row.State?.DueAt)
            : new Outcome(null, TimerErrors.Of(step.Refusal!.Value, row.State, name), row.State?.DueAt);
    }

    /// <summary>Handles a command for a finished timer. A repeated end changes nothing and returns the first answer.</summary>
    private static async ValueTask<Outcome> RepeatedAsync(IUnitOfWork unit, TimerRow row, TimerCommand command, SessionView session)
    {
        var name = row.State is null ? null : await FocusDevices.NameAsync(unit, row.State.DeviceId);
        var repeats =
            command is CompleteTimer
                ? session.Outcome != Word(TimerOutcome.Cancelled)
                : command is CancelTimer && session.Outcome == Word(TimerOutcome.Cancelled);
        return repeats
            ? new Outcome(Answer(unit, row, name, session), null, row.State?.DueAt)
            : new Outcome(null, TimerErrors.Of(TimerRefusal.Ended, row.State, name), row.State?.DueAt);
    }

    /// <summary>Adds the title of the task and the user's phase lengths.</summary>
    private static async ValueTask<StartTimer> CompleteAsync(IUnitOfWork unit, string userId, StartTimer start) =>
        start with
        {
            TaskTitle = start.TaskId is { } taskId
                ? (await TaskRows.RequireAsync(unit.Connection, unit.Transaction, userId, taskId)).Title
                : start.TaskTitle,
            Lengths = await LengthsService.OfAsync(unit, userId),
        };

    /// <summary>Writes the result of a step: the events, the row, and for an end also the session and the task's log.</summary>
    private async ValueTask<(TimerRow Row, SessionView? Ended)> KeepAsync(
        IUnitOfWork unit,
        TimerRow row,
        TimerStep step,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        // Without an event the stored row describes the same timer.
        if (step.Events.Count == 0)
            return (row with { State = step.State }, null);
        SessionView? ended = null;
        var version = row.Version;
        var cancelled = step.Events[^1] is TimerStopped { Outcome: TimerOutcome.Cancelled } last ? last.State : null;
        foreach (var happened in step.Events)
        {
            version = (await unit.NextPositionAsync(cancellationToken)).Offset;
            var source = happened.IsByTime ? null : deviceId;
            if (happened is TimerStopped stopped)
                ended = await EndAsync(unit, row.UserId, stopped, version, source, cancellationToken);
            else
                await TellAsync(unit, row.UserId, happened, version, source, cancellationToken);
        }
        var kept = row with { Version = version, State = step.State, Cancelled = cancelled };
        await TimerRows.SaveAsync(unit, kept);
        return (kept, ended);
    }

    private async ValueTask TellAsync(
        IUnitOfWork unit,
        string userId,
        TimerEvent happened,
        long version,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        var timer = TimerView.Of(happened.State, await FocusDevices.NameAsync(unit, happened.State.DeviceId), version);
        var payload = TimerPayload.Of(timer);
        var (type, told) = happened switch
        {
            TimerStarted => ("started", payload),
            TimerMoved moved => ("moved", payload with { TargetDeviceId = timer.DeviceId, FromDeviceId = moved.FromDeviceId }),
            TimerUpdated updated => ("updated", payload with { Change = updated.Change }),
            _ => throw new InvalidOperationException($"No event is defined for '{happened.GetType().Name}'."),
        };
        await devices.BroadcastAsync(unit, userId, "timer", type, told, deviceId, cancellationToken: cancellationToken);
    }

    private async ValueTask<SessionView> EndAsync(
        IUnitOfWork unit,
        string userId,
        TimerStopped stopped,
        long version,
        string? deviceId,
        CancellationToken cancellationToken
    )
    {
        var state = stopped.State;
        var task =
            stopped.Outcome == TimerOutcome.Cancelled || state.TaskId is null
                ? null
                : await TaskRows.FindAsync(unit.Connection, unit.Transaction, userId, state.TaskId);
        var session = new SessionView(
            state.Id,
            version,
            Word(stopped.Outcome),
            state.TaskId,
            state.TaskTitle,
            state.Mode,
            state.Focused,
            task is null ? 0 : state.Focused,
            state.Paused,
            state.Pauses,
            WireTime.Of(state.StartedAt),
            WireTime.Of(state.AsOf)
        );
        await devices.BroadcastAsync(unit, userId, "timer", "stopped", session, deviceId, cancellationToken: cancellationToken);
        await TimerRows.AddSessionAsync(unit, userId, session);
        if (task is not null && state.Focused > 0)
            await TaskRows.ChangeAsync(
                unit,
                devices,
                userId,
                task with
                {
                    LoggedMs = task.LoggedMs + state.Focused,
                },
                deviceId,
                cancellationToken
            );
        return session;
    }

    private static TimerAnswer Answer(IUnitOfWork unit, TimerRow row, string? name, SessionView? session) =>
        new(row.State is null ? null : TimerView.Of(row.State, name!, row.Version), row.Version, unit.Now, session);

    private static string Word(TimerOutcome outcome) =>
        outcome switch
        {
            TimerOutcome.Completed => "completed",
            TimerOutcome.Cancelled => "cancelled",
            TimerOutcome.PlannedEnd => "plannedEnd",
            _ => "cap",
        };

    /// <summary>
    /// The result of a command. A refusal is not thrown inside the unit of work, so that the passage of time still commits.
    /// </summary>
    private sealed record Outcome(TimerAnswer? Answer, DunlinException? Refusal, long? DueAt);
}
