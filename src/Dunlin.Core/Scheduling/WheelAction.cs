namespace Dunlin.Scheduling;

/// <summary>A wheel entry that calls a delegate.</summary>
internal sealed class WheelAction(Action action) : WheelEntry
{
    protected internal override void OnDue() => action();
}
