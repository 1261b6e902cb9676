namespace Dunlin.Apps.Documents.Collections;

/// <summary>A set of documents that is read and edited by the same people.</summary>
public sealed record Collection(string Id, string Name);
