using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Dunlin.Security;

/// <summary>
/// The keys of one trusted issuer whose OpenID Connect discovery document is read (<see cref="TrustedIssuer.Authority"/>). Fetched keys
/// replace the fetched keys before them, so a key that the issuer removes stops working; after a failed fetch the keys before it stay.
/// Safe for concurrent use.
/// </summary>
/// <remarks>The library's <c>ConfigurationManager</c> schedules by the system clock only, refreshes behind the request that needs the new
/// key, and honours removed keys as "last known good": see ADR 19.</remarks>
internal sealed class AuthorityKeys(
    TrustedIssuer issuer,
    IReadOnlyList<TokenKey> configured,
    Func<HttpClient> client,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>The most keys of one document. Identity providers publish two to ten.</summary>
    public const int MaxKeys = 100;

    /// <summary>Shortest time between two fetches that tokens with unknown keys cause: anybody can send such a token.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(10);

    /// <summary>The same while there is no key at all, so that users wait no longer than they have to.</summary>
    public static readonly TimeSpan MinIntervalWithoutKeys = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    // Guards _refresh and _finished.
    private readonly Lock _gate = new();
    private Task? _refresh;
    private long? _finished;

    private readonly IReadOnlyList<TokenKey> _configured = configured;
    private volatile IReadOnlyList<TokenKey> _keys = configured;
    private volatile bool _isCurrent;

    /// <summary>The configured keys and those of the last successful fetch.</summary>
    public IReadOnlyList<TokenKey> Keys => _keys;

    /// <summary>Whether the last fetch succeeded.</summary>
    public bool IsCurrent => _isCurrent;

    /// <summary>Fetches the keys, or joins a fetch under way; does nothing where the last one ended too recently. A failure is logged
    /// and leaves <see cref="IsCurrent"/> false.</summary>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled; the fetch goes on.</exception>
    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_refresh is { IsCompleted: false } running)
                return running.WaitAsync(cancellationToken);
            var least = _keys.Count == 0 ? MinIntervalWithoutKeys : MinInterval;
            if (_finished is { } finished && time.GetElapsedTime(finished) < least)
                return Task.CompletedTask;
            // Not the caller's token: others join this fetch. The HttpClient has a timeout.
            _refresh = Task.Run(FetchAsync, CancellationToken.None);
            return _refresh.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Refreshes at the issuer's interval, after a failure every minute, until cancelled. The timer runs when this returns.
    /// </summary>
    public async Task RunAsync(BackgroundLoop loop, CancellationToken stopping)
    {
        var interval = issuer.KeyRefreshInterval;
        using var timer = new PeriodicTimer(interval < RetryInterval ? interval : RetryInterval, time);
        do
        {
            if (!IsCurrent || Age() >= interval)
                await RefreshAsync(stopping);
            // A failed refresh is logged with the issuer and its address, and the keys before it still work.
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
        var address = $"{issuer.Authority!.TrimEnd('/')}/.well-known/openid-configuration";
        try
        {
            using var http = client();
            var documents = new Documents(http, issuer.RequireHttpsMetadata);
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(address, documents, CancellationToken.None);
            if (!string.Equals(configuration.Issuer, issuer.Issuer, StringComparison.Ordinal))
                throw new FormatException(
                    $"the discovery document names the issuer '{configuration.Issuer}', but '{issuer.Issuer}' is configured"
                );
            var published = configuration.JsonWebKeySet ?? throw new FormatException("the discovery document has no 'jwks_uri'");
            var keys = TokenKey.OfPublishedSet(published, MaxKeys);
            SecurityLog.KeysFetched(logger, issuer.Issuer, address, keys.Count);
            _keys = [.. _configured, .. keys];
            _isCurrent = true;
        }
        catch (Exception exception)
        {
            _isCurrent = false;
            // The library's exceptions hide the reason one level down.
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

    // Checks each address, because the discovery document names the address of the keys.
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
