using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.Security;

/// <summary>Holds the keys of one trusted issuer with an OpenID Connect discovery document (<see cref="TrustedIssuer.Authority"/>), or
/// with the address of its key set. Thread-safe.</summary>
/// <remarks>
/// The keys of each fetch replace those of the previous fetch, so a key that the issuer removes stops working. A failed fetch keeps the
/// previous keys. <c>ConfigurationManager</c> of Microsoft.IdentityModel does not fit: it uses the system clock only, refreshes after the
/// request that needs the new key, and accepts removed keys as "last known good" (ADR 19).
/// </remarks>
internal sealed class AuthorityKeys(
    TrustedIssuer issuer,
    IReadOnlyList<TokenKey> configured,
    Func<HttpClient> client,
    TimeProvider time,
    ILogger logger,
    Uri? keySet = null
)
{
    /// <summary>The maximum number of keys in one document. Identity providers publish two to ten.</summary>
    public const int MaxKeys = 100;

    /// <summary>The minimum time between fetches for tokens with unknown keys. Anybody can send such a token.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(10);

    /// <summary>The minimum time between fetches while the issuer has no key at all, so that users wait no longer than necessary.</summary>
    public static readonly TimeSpan MinIntervalWithoutKeys = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    // Guards _refresh and _finished.
    private readonly Lock _gate = new();
    private Task? _refresh;
    private long? _finished;

    private readonly IReadOnlyList<TokenKey> _configured = configured;
    private volatile IReadOnlyList<TokenKey> _keys = configured;
    private volatile bool _isCurrent;

    /// <summary>Gets the configured keys and those of the last successful fetch.</summary>
    public IReadOnlyList<TokenKey> Keys => _keys;

    /// <summary>Gets whether the last fetch succeeded.</summary>
    public bool IsCurrent => _isCurrent;

    /// <summary>Fetches the keys, or joins a running fetch. It has no effect if the last fetch ended less than the minimum time ago. A
    /// failure is logged and leaves <see cref="IsCurrent"/> false.</summary>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled; the fetch continues.</exception>
    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_refresh is { IsCompleted: false } running)
                return running.WaitAsync(cancellationToken);
            var least = _keys.Count == 0 ? MinIntervalWithoutKeys : MinInterval;
            if (_finished is { } finished && time.GetElapsedTime(finished) < least)
                return Task.CompletedTask;
            // The fetch ignores the caller's token, because other callers join it. The HttpClient has a timeout.
            _refresh = Task.Run(FetchAsync, CancellationToken.None);
            return _refresh.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Returns whether the issuer has other keys than those that did not verify a token. Fetches the keys first if the token names
    /// none of the tried ones.</summary>
    /// <param name="tried">The keys that were tried: a value that <see cref="Keys"/> had before the attempt.</param>
    /// <param name="keyId">The key that the token names; null for none.</param>
    /// <param name="cancellationToken">Ends the wait; a fetch continues.</param>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled.</exception>
    public async ValueTask<bool> HasOtherKeysAsync(IReadOnlyList<TokenKey> tried, string? keyId, CancellationToken cancellationToken)
    {
        // Only the tried keys decide: a fetch may have brought the key after the attempt, and the token must be tried with it.
        if (keyId is null || !TokenKey.IsNamed(tried, keyId))
            await RefreshAsync(cancellationToken);
        return !ReferenceEquals(tried, _keys);
    }

    /// <summary>Refreshes at the issuer's interval, or every minute after a failure, until cancelled. The timer has started when the method
    /// returns its task.</summary>
    public async Task RunAsync(BackgroundLoop loop, CancellationToken stopping)
    {
        var interval = issuer.KeyRefreshInterval;
        using var timer = new PeriodicTimer(interval < RetryInterval ? interval : RetryInterval, time);
        do
        {
            if (!IsCurrent || Age() >= interval)
                await RefreshAsync(stopping);
            // A failed refresh is no failure of the loop: it is logged with the issuer and its address, and the previous keys still work.
            loop.ReportSuccess();
        } while (await timer.WaitForNextTickAsync(stopping));
    }

    private TimeSpan Age()
    {
        lock (_gate)
            return _finished is { } finished ? time.GetElapsedTime(finished) : TimeSpan.MaxValue;
    }

    private async Task FetchAsync()
    {
        var address = keySet?.ToString() ?? $"{issuer.Authority!.TrimEnd('/')}/.well-known/openid-configuration";
        try
        {
            using var http = client();
            var documents = new Documents(http, issuer.RequireHttpsMetadata);
            var published = keySet is null ? await DiscoverAsync(address, documents) : await ReadSetAsync(address, documents);
            var keys = TokenKey.OfPublishedSet(published, MaxKeys);
            SecurityLog.KeysFetched(logger, issuer.Issuer, address, keys.Count);
            _keys = [.. _configured, .. keys];
            _isCurrent = true;
        }
        catch (Exception exception)
        {
            _isCurrent = false;
            // Microsoft.IdentityModel wraps the cause in exceptions of its own.
            var reason = (exception is FormatException ? exception : exception.GetBaseException()).Message;
            if (_keys.Count == 0)
                SecurityLog.KeysMissing(logger, issuer.Issuer, address, reason);
            else
                SecurityLog.KeysNotRefreshed(logger, issuer.Issuer, address, reason);
        }
        finally
        {
            lock (_gate)
                _finished = time.GetTimestamp();
        }
    }

    private async Task<JsonWebKeySet> DiscoverAsync(string address, Documents documents)
    {
        var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(address, documents, CancellationToken.None);
        if (!string.Equals(configuration.Issuer, issuer.Issuer, StringComparison.Ordinal))
            throw new FormatException(
                $"the discovery document names the issuer '{configuration.Issuer}', but '{issuer.Issuer}' is configured"
            );
        return configuration.JsonWebKeySet ?? throw new FormatException("the discovery document has no 'jwks_uri'");
    }

    private static async Task<JsonWebKeySet> ReadSetAsync(string address, Documents documents)
    {
        try
        {
            return new JsonWebKeySet(await documents.GetDocumentAsync(address, CancellationToken.None));
        }
        catch (ArgumentException exception)
        {
            throw new FormatException($"'{address}' is no JWK set", exception);
        }
    }

    // Checks the scheme of each address, because the discovery document supplies the address of the keys.
    private sealed class Documents(HttpClient http, bool requiresHttps) : IDocumentRetriever
    {
        public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
        {
            if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || !TrustedIssuer.IsAllowed(uri, requiresHttps))
                throw new FormatException($"'{address}' is not an https address");
            using var response = await http.GetAsync(uri, cancel);
            return response.IsSuccessStatusCode
                ? await response.Content.ReadAsStringAsync(cancel)
                : throw new FormatException($"'{address}' answers {(int)response.StatusCode}");
        }
    }
}
