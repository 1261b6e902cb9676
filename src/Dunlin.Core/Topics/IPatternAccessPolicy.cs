namespace Dunlin.Topics;

/// <summary>
/// What an <see cref="IAccessPolicy"/> can also answer: whether a caller may subscribe to a pattern. Without it every pattern below
/// the policy's prefix is refused. The duties are those of the policy: safe for concurrent use, quick, asked again when rights change.
/// </summary>
public interface IPatternAccessPolicy
{
    /// <summary>May the caller read events of every topic that the pattern covers, of those too that do not exist yet? What arrives under
    /// the pattern is not asked about one by one, so yes means all, and for as long as no change of rights is told. The pattern lies
    /// below the policy's prefix, and no other policy decides about anything that it covers.</summary>
    ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken);
}
