namespace Dunlin.Cluster;

/// <summary>Marks that several nodes share the store, so that notifications of one node must be relayed to the others.</summary>
internal sealed class SharedStore;
