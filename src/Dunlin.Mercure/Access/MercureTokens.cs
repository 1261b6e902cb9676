using System.Text.Json;
using Dunlin.Mercure.Urls;
using Dunlin.Scheduling;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Mercure.Access;

/// <summary>Validates tokens: RFC 9068 and the Mercure protocol, section Token Validation. Thread-safe.</summary>
internal sealed class MercureTokens : IHostedService
{
    private readonly MercureHub _hub;
    private readonly TimeProvider _time;
    private readonly List<IssuerKeys> _issuers = [];
    private readonly List<BackgroundLoop> _loops = [];

    public MercureTokens(
        MercureHub hub,
        IHttpClientFactory clients,
        TimeProvider time,
        ILogger<MercureTokens> logger,
        BackgroundLoops? loops = null
    )
    {
        (_hub, _time) = (hub, time);
        foreach (var issuer in hub.Options.Issuers)
        {
            if (issuer is { KeySetUrl: null, Authority: null })
            {
                _issuers.Add(new IssuerKeys(issuer, null));
                continue;
            }
            var fetched = new AuthorityKeys(
                IssuerKeys.ToTrusted(issuer),
                IssuerKeys.Read(issuer),
                () => clients.CreateClient(Authorities.ClientName),
                time,
                logger,
                issuer.KeySetUrl is { } url ? new Uri(url) : null
            );
            _issuers.Add(new IssuerKeys(issuer, fetched));
            var name = $"keys of Mercure issuer {(issuer.Issuer.Length > 0 ? issuer.Issuer : issuer.KeySetUrl)}";
            _loops.Add(new BackgroundLoop(name, fetched.RunAsync, time, logger, registry: loops));
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var loop in _loops)
            loop.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_loops.Select(loop => loop.StopAsync(cancellationToken)));

    /// <summary>Validates a token.</summary>
    /// <returns>What it permits; null if it is not valid.</returns>
    public async ValueTask<MercureAccess?> ValidateAsync(string token, TokenSource source, CancellationToken cancellationToken)
    {
        if (
            !StrictTokenReader.TryRead(token, out var header, out var payload)
            || !StrictTokenReader.TryReadClaims(payload, out var document)
        )
            return null;
        using (document)
        {
            try
            {
                var dialect = DialectOf(header.Type);
                if (!_hub.Speaks(dialect))
                    return null;
                var claims = document.RootElement;
                if (!TryTimes(claims, out var expires) || (dialect == MercureDialects.Version1 && (expires is null || !IsForHub(claims))))
                    return null;
                foreach (var issuer in IssuersOf(Text(claims, "iss"), dialect))
                {
                    if (await issuer.HaveSignedAsync(token, header.KeyId, cancellationToken))
                        return new MercureAccess(GrantsOf(claims, issuer.Options, dialect), expires, UserIdOf(claims), dialect, source);
                }
                return null;
            }
            catch (Exception exception) when (exception is FormatException or InvalidOperationException)
            {
                return null; // faulty grants, or a text that is not UTF-8
            }
        }
    }

    // A hub that speaks 0.x only takes any signed token, as hubs of that time did.
    private MercureDialects DialectOf(string? type)
    {
        if (!_hub.Speaks(MercureDialects.Version1))
            return MercureDialects.Version0;
        var name = type?.StartsWith("application/", StringComparison.OrdinalIgnoreCase) == true ? type["application/".Length..] : type;
        return string.Equals(name, "at+jwt", StringComparison.OrdinalIgnoreCase) ? MercureDialects.Version1 : MercureDialects.Version0;
    }

    // Keys never verify tokens of another issuer. Tokens of 0.x need not name one: then all keys are tried.
    private IEnumerable<IssuerKeys> IssuersOf(string? name, MercureDialects dialect)
    {
        var named = _issuers.Where(issuer => name is { Length: > 0 } && issuer.Options.Issuer == name).ToList();
        if (dialect == MercureDialects.Version1 || named.Count > 0)
            return named;
        return name is null ? _issuers : _issuers.Where(static issuer => issuer.Options.Issuer.Length == 0);
    }

    private MercureGrants GrantsOf(JsonElement claims, MercureIssuer issuer, MercureDialects dialect)
    {
        WebUrl hub = _hub.Url.Url;
        var grants =
            dialect == MercureDialects.Version1
                ? MercureGrants.FromDetails(Member(claims, "authorization_details"), hub)
                : MercureGrants.FromClaim(Member(claims, "mercure"), hub);
        return new MercureGrants(issuer.MayPublish ? grants.Publish : [], issuer.MaySubscribe ? grants.Subscribe : []);
    }

    private bool IsForHub(JsonElement claims) =>
        Member(claims, "aud") is { } audience
        && audience.ValueKind switch
        {
            JsonValueKind.String => audience.ValueEquals(_hub.Resource),
            JsonValueKind.Array => audience
                .EnumerateArray()
                .Any(item => item.ValueKind == JsonValueKind.String && item.ValueEquals(_hub.Resource)),
            _ => false,
        };

    private bool TryTimes(JsonElement claims, out DateTimeOffset? expires)
    {
        var now = _time.GetUtcNow();
        return TryTime(claims, "exp", out expires)
            && TryTime(claims, "nbf", out var notBefore)
            && (expires is null || now < expires)
            && (notBefore is null || now >= notBefore);
    }

    private static bool TryTime(JsonElement claims, string name, out DateTimeOffset? time)
    {
        const double latest = 253_402_300_000; // shortly before the year 10000
        time = null;
        if (Member(claims, name) is not { } value)
            return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and < latest))
            return false;
        time = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }

    // A hash if the text has another form than ids of users.
    private static string UserIdOf(JsonElement claims)
    {
        var id = $"mercure:{Text(claims, "iss")}:{Text(claims, "sub")}";
        return UserIds.Fault(id) is null
            ? id
            : "mercure:"
                + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(id)))[..32];
    }

    private static JsonElement? Member(JsonElement claims, string name) => claims.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement claims, string name) =>
        Member(claims, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
