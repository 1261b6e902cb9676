namespace Dunlin.Apps.Focus.Timer;

/// <summary>A command to the timer.</summary>
/// <param name="DeviceId">The device that sends the command.</param>
public abstract record TimerCommand(string DeviceId)
{
    /// <summary>The addressed timer; null for the active one.</summary>
    public string? TimerId { get; init; }
}

/// <summary>Starts a timer.</summary>
/// <param name="DeviceId">The device that runs the timer.</param>
/// <param name="Id">The timer's id. A repeated start with the same id and device changes nothing.</param>
/// <param name="TaskId">The task to log to.</param>
/// <param name="TaskTitle">The displayed title.</param>
/// <param name="Mode">The mode.</param>
/// <param name="Planned">Planned duration in milliseconds; for <see cref="TimerMode.Normal"/> only.</param>
public sealed record StartTimer(string DeviceId, string Id, string? TaskId, string TaskTitle, TimerMode Mode, long Planned)
    : TimerCommand(DeviceId)
{
    /// <summary>The lengths of a pomodoro's phases.</summary>
    public PhaseLengths Lengths { get; init; } = PhaseLengths.Default;
}

/// <summary>Pauses the timer.</summary>
public sealed record PauseTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Resumes a paused timer.</summary>
public sealed record ResumeTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Ends a break early.</summary>
public sealed record SkipBreak(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Ends the timer and logs its focus time.</summary>
public sealed record CompleteTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Ends the timer without logging.</summary>
public sealed record CancelTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Moves the timer to a device. Any device of the user may send it.</summary>
public sealed record MoveTimer(string DeviceId, string TargetDeviceId) : TimerCommand(DeviceId);

/// <summary>Why a command was refused.</summary>
public enum TimerRefusal
{
    /// <summary>No timer is active.</summary>
    NoTimer,

    /// <summary>The active timer is not the addressed one.</summary>
    OtherTimer,

    /// <summary>A timer is already active on this device.</summary>
    AlreadyRunning,

    /// <summary>The timer is on another device: move it here first.</summary>
    OnOtherDevice,

    /// <summary>The timer is not on a break.</summary>
    NotOnBreak,

    /// <summary>The addressed timer has ended.</summary>
    Ended,

    /// <summary>The command names a timer that is not the last cancelled one.</summary>
    NotCancelled,
}

/// <summary>How a timer ended.</summary>
public enum TimerOutcome
{
    /// <summary>The user completed it; its focus time is logged.</summary>
    Completed,

    /// <summary>The user cancelled it; nothing is logged.</summary>
    Cancelled,

    /// <summary>It reached its planned end; its focus time is logged.</summary>
    PlannedEnd,

    /// <summary>It reached the cap of 24 hours; its focus time is logged.</summary>
    Cap,
}

/// <summary>An event of the timer.</summary>
/// <param name="State">The timer after the event; for an end, its last state.</param>
public abstract record TimerEvent(TimerState State)
{
    /// <summary>Whether the passage of time caused the event, not a device.</summary>
    public virtual bool IsByTime => false;
}

/// <summary>The timer started.</summary>
public sealed record TimerStarted(TimerState State) : TimerEvent(State);

/// <summary>The timer was paused or resumed, or its phase changed.</summary>
/// <param name="State">The timer after the event.</param>
/// <param name="Change"><c>paused</c>, <c>resumed</c> or <c>skipped</c>; caused by time: <c>phase</c> or <c>clock</c>.</param>
public sealed record TimerUpdated(TimerState State, string Change) : TimerEvent(State)
{
    /// <inheritdoc/>
    public override bool IsByTime => Change is "phase" or "clock";
}

/// <summary>The timer moved to another device.</summary>
public sealed record TimerMoved(TimerState State, string FromDeviceId) : TimerEvent(State);

/// <summary>The timer ended.</summary>
public sealed record TimerStopped(TimerState State, TimerOutcome Outcome) : TimerEvent(State)
{
    /// <inheritdoc/>
    public override bool IsByTime => Outcome is TimerOutcome.PlannedEnd or TimerOutcome.Cap;
}

/// <summary>The result of the state machine.</summary>
/// <param name="State">The timer now; null if none is active.</param>
/// <param name="Events">The events in order: those caused by time, then those of the command.</param>
/// <param name="Refusal">Why the command was refused; null if it succeeded or repeated an earlier one.</param>
public sealed record TimerStep(TimerState? State, IReadOnlyList<TimerEvent> Events, TimerRefusal? Refusal = null);
