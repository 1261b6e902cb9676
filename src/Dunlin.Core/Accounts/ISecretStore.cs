namespace Dunlin.Accounts;

/// <summary>
/// Stores secrets that all nodes of a store share, such as the signing key of tokens. The first node that needs a secret creates it.
/// Thread-safe.
/// </summary>
/// <remarks>Optional for stores that only one node uses.</remarks>
internal interface ISecretStore
{
    /// <summary>
    /// Returns the secret with this name. If there is none, stores the given one first. Concurrent calls on all nodes return the same
    /// secret.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="made">The secret to store if there is none.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    ValueTask<string> GetOrAddAsync(string name, string made, CancellationToken cancellationToken);
}
