namespace Dunlin.Apps.Focus.Timer;

/// <summary>What a device asks of the timer.</summary>
/// <param name="DeviceId">The device that asks.</param>
public abstract record TimerCommand(string DeviceId)
{
    /// <summary>The timer that is meant; null for whichever there is.</summary>
    public string? TimerId { get; init; }
}

/// <summary>Starts a timer.</summary>
/// <param name="DeviceId">The device that it will be on.</param>
/// <param name="Id">Its id; starting the same again on the same device changes nothing.</param>
/// <param name="TaskId">The task that completing logs to.</param>
/// <param name="TaskTitle">What is shown.</param>
/// <param name="Mode">How it runs.</param>
/// <param name="Planned">How long, in milliseconds; for <see cref="TimerMode.Normal"/> only.</param>
public sealed record StartTimer(string DeviceId, string Id, string? TaskId, string TaskTitle, TimerMode Mode, long Planned)
    : TimerCommand(DeviceId);

/// <summary>Lets it stand still.</summary>
public sealed record PauseTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Lets it go on.</summary>
public sealed record ResumeTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Ends a break early.</summary>
public sealed record SkipBreak(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Ends it and logs its focus.</summary>
public sealed record CompleteTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Ends it and logs nothing.</summary>
public sealed record CancelTimer(string DeviceId) : TimerCommand(DeviceId);

/// <summary>Brings it to a device; any device may ask.</summary>
public sealed record MoveTimer(string DeviceId, string TargetDeviceId) : TimerCommand(DeviceId);

/// <summary>Why a command changes nothing.</summary>
public enum TimerRefusal
{
    /// <summary>There is none.</summary>
    NoTimer,

    /// <summary>There is another than the one that was meant.</summary>
    OtherTimer,

    /// <summary>There is one on this device.</summary>
    AlreadyRunning,

    /// <summary>It is on another device: move it here first.</summary>
    OnOtherDevice,

    /// <summary>There is no break to skip.</summary>
    NotOnBreak,

    /// <summary>The timer that was meant is over.</summary>
    Ended,
}

/// <summary>How a timer ended.</summary>
public enum TimerOutcome
{
    /// <summary>By its user; its focus is logged.</summary>
    Completed,

    /// <summary>By its user; nothing is logged.</summary>
    Cancelled,

    /// <summary>At its planned end; its focus is logged.</summary>
    PlannedEnd,

    /// <summary>After 24 hours; its focus is logged.</summary>
    Cap,
}

/// <summary>What happened to the timer.</summary>
/// <param name="State">The timer after it; for an end, as it last was.</param>
public abstract record TimerEvent(TimerState State)
{
    /// <summary>Whether time did it, and no device.</summary>
    public virtual bool IsByTime => false;
}

/// <summary>It began.</summary>
public sealed record TimerStarted(TimerState State) : TimerEvent(State);

/// <summary>It was paused, went on, or changed its phase.</summary>
/// <param name="State">The timer after it.</param>
/// <param name="Change"><c>paused</c>, <c>resumed</c>, <c>skipped</c>, or by time <c>phase</c> and <c>clock</c>.</param>
public sealed record TimerUpdated(TimerState State, string Change) : TimerEvent(State)
{
    /// <inheritdoc/>
    public override bool IsByTime => Change is "phase" or "clock";
}

/// <summary>It came to another device.</summary>
public sealed record TimerMoved(TimerState State, string FromDeviceId) : TimerEvent(State);

/// <summary>It ended.</summary>
public sealed record TimerStopped(TimerState State, TimerOutcome Outcome) : TimerEvent(State)
{
    /// <inheritdoc/>
    public override bool IsByTime => Outcome is TimerOutcome.PlannedEnd or TimerOutcome.Cap;
}

/// <summary>The answer of the state machine.</summary>
/// <param name="State">The timer now; null where there is none.</param>
/// <param name="Events">What happened, in order: first what time did, then the command.</param>
/// <param name="Refusal">Why the command did nothing; null where it was taken, or had been already.</param>
public sealed record TimerStep(TimerState? State, IReadOnlyList<TimerEvent> Events, TimerRefusal? Refusal = null);
