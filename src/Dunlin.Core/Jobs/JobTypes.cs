namespace Dunlin.Jobs;

/// <summary>Lists the job types that this node runs. Immutable. Registered with the first job handler.</summary>
public sealed class JobTypes
{
    internal JobTypes(IEnumerable<JobType> types) => Names = [.. types.Select(type => type.Name).Order(StringComparer.Ordinal)];

    /// <summary>Gets the names of the types, in ordinal order.</summary>
    public IReadOnlyList<string> Names { get; }
}
