namespace Dunlin.Topics;

/// <summary>
/// Decides whether a caller may subscribe to patterns. An optional addition to <see cref="IAccessPolicy"/>: without it, all patterns below
/// the policy's prefix are denied.
/// </summary>
/// <remarks>
/// The requirements of <see cref="IAccessPolicy"/> apply: fast, thread-safe where shared, and evaluated again when rights change.
/// </remarks>
public interface IPatternAccessPolicy
{
    /// <summary>
    /// Returns whether the caller may read the events of every topic that a pattern covers, including topics that are created later.
    /// </summary>
    /// <remarks>
    /// Events under the pattern are not checked one by one: true allows all of them until a change of rights is announced. The pattern is
    /// below the policy's prefix, and no other policy decides about any topic that it covers.
    /// </remarks>
    /// <param name="caller">The caller.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken);
}
