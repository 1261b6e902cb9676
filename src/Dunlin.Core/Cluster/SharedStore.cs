namespace Dunlin.Cluster;

/// <summary>Says that several nodes share the store: what is told of one node only must be passed on.</summary>
internal sealed class SharedStore;
