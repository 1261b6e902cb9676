namespace Dunlin.Bench.Load;

/// <summary>The figures of one second of the run.</summary>
internal sealed record Sample(double At, double DeliveriesPerSecond, double PublishesPerSecond, double? ServerMiB, double? ServerCpuShare);
