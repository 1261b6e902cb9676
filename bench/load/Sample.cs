namespace Dunlin.Bench.Load;

/// <summary>One second of the run.</summary>
internal sealed record Sample(double At, double DeliveriesPerSecond, double PublishesPerSecond, double? ServerMiB, double? ServerCpuShare);
