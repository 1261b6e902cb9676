namespace Dunlin.Client.Security;

/// <summary>A token and the number of the call that returned it.</summary>
internal sealed record Token(string? Value, int Generation);

/// <summary>Keeps the token of a client. All requests and streams share it, so one expiry causes one renewal. Thread-safe.</summary>
/// <param name="getToken">Returns a new token. Null if tokens cannot be renewed.</param>
/// <param name="fixedToken">The token of a client that cannot renew it. Null for an anonymous client.</param>
internal sealed class TokenSource(Func<CancellationToken, ValueTask<string?>>? getToken, string? fixedToken) : IDisposable
{
    private static readonly ClientProblem InvalidToken = new()
    {
        Kind = ProblemKind.Invalid,
        Code = "invalidToken",
        Title = "GetToken returned a token that no header can carry.",
        Hint = "Return the token alone, without spaces and line breaks.",
    };

    private readonly Token _fixed = new(fixedToken, 0);
    private readonly SemaphoreSlim _renewing = new(1, 1);
    private volatile Token? _token;

    /// <summary>Returns the current token. Its value is null for an anonymous client.</summary>
    /// <exception cref="DunlinClientException">The application could not supply a token.</exception>
    public ValueTask<Token> GetAsync(CancellationToken cancellationToken)
    {
        if (getToken is null)
            return new ValueTask<Token>(_fixed);
        return _token is { } token ? new ValueTask<Token>(token) : FetchAsync(null, cancellationToken);
    }

    /// <summary>Renews a token that the server refused, unless another request has renewed it already.</summary>
    /// <param name="refused">The refused token.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>False if the application has no token: the session has ended.</returns>
    /// <exception cref="DunlinClientException">The application could not supply a token. The outcome is unknown.</exception>
    public async ValueTask<bool> RenewAsync(Token? refused, CancellationToken cancellationToken)
    {
        if (getToken is null)
            return false;
        return (await FetchAsync(refused, cancellationToken).ConfigureAwait(false)).Value is not null;
    }

    /// <summary>Gets whether a refused token can be renewed.</summary>
    public bool CanRenew => getToken is not null;

    /// <summary>Returns whether a token consists of visible ASCII characters.</summary>
    public static bool IsHeaderSafe(string token) => token.Length > 0 && StreamPosition.IsHeaderSafe(token);

    public void Dispose() => _renewing.Dispose();

    private async ValueTask<Token> FetchAsync(Token? refused, CancellationToken cancellationToken)
    {
        await _renewing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_token is { } current && current.Generation != refused?.Generation)
                return current;
            var value = await getToken!(cancellationToken).ConfigureAwait(false);
            if (value is not null && !IsHeaderSafe(value))
                throw new DunlinClientException(InvalidToken);
            var token = new Token(value, (refused ?? _token)?.Generation + 1 ?? 1);
            // Without a token the next request asks again: the user may have signed in.
            _token = value is null ? null : token;
            return token;
        }
        catch (Exception exception) when (exception is not DunlinClientException && !cancellationToken.IsCancellationRequested)
        {
            throw new DunlinClientException(
                ClientProblem.Network("GetToken failed, so no token could be sent. See the inner exception."),
                exception
            );
        }
        finally
        {
            _renewing.Release();
        }
    }
}
