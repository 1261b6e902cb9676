namespace Dunlin.Topics;

/// <summary>Placeholder.</summary>
public sealed class AccessChanges;
