namespace Dunlin.Leases;

/// <summary>Placeholder so that documentation references resolve while the engine is being built.</summary>
public sealed class LeaseService;

/// <summary>Placeholder.</summary>
public sealed class LeaseGuard;
