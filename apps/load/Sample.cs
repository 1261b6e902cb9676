namespace Dunlin.Apps.Load;

/// <summary>The figures of one second of the run.</summary>
public sealed record Sample(double At, double DeliveriesPerSecond, double PublishesPerSecond, double? ServerMiB, double? ServerCpuShare);
