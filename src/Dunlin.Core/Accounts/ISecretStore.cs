namespace Dunlin.Accounts;

/// <summary>
/// Secrets that the nodes of one store share, such as the key that signs tokens: made by the first node that needs one. A store
/// for one node need not have it. Safe for concurrent use.
/// </summary>
internal interface ISecretStore
{
    /// <summary>The secret of this name; of all that are offered under it, ever, the first.</summary>
    /// <param name="name">Which.</param>
    /// <param name="made">What to keep where there is none yet.</param>
    /// <param name="cancellationToken">Stops it.</param>
    ValueTask<string> GetOrAddAsync(string name, string made, CancellationToken cancellationToken);
}
