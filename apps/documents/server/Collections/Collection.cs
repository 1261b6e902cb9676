namespace Dunlin.Apps.Documents.Collections;

/// <summary>A set of documents with common members.</summary>
public sealed record Collection(string Id, string Name);
