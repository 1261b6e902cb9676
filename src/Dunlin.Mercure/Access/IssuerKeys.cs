using System.Text;
using Dunlin.Security;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dunlin.Mercure.Access;

/// <summary>The keys of one issuer, and the verification of signatures with them. Thread-safe.</summary>
internal sealed class IssuerKeys
{
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = StrictTokenReader.MaxLength };

    private readonly Func<IReadOnlyList<TokenKey>> _keys;
    private readonly AuthorityKeys? _fetched;
    private readonly TokenValidationParameters _parameters;

    /// <param name="options">The issuer.</param>
    /// <param name="fetched">The keys that are fetched; null if all are configured.</param>
    public IssuerKeys(MercureIssuer options, AuthorityKeys? fetched)
    {
        Options = options;
        _fetched = fetched;
        if (fetched is not null)
            _keys = () => fetched.Keys;
        else
        {
            var configured = Read(options);
            _keys = () => configured;
        }
        _parameters = new TokenValidationParameters
        {
            // Issuer, audience and times are checked by MercureTokens, by the rules of the dialect.
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            ValidAlgorithms = TokenKey.Algorithms,
            IssuerSigningKeyResolver = (_, token, _, _) =>
                TokenKey
                    .For(
                        _keys(),
                        ((JsonWebToken)token).Alg,
                        ((JsonWebToken)token).TryGetHeaderValue<string>("kid", out var keyId) ? keyId : null
                    )
                    .Select(static key => key.Key),
        };
    }

    public MercureIssuer Options { get; }

    /// <summary>Returns whether a key of this issuer has signed the token. May wait for a fetch of the keys.</summary>
    public async ValueTask<bool> HaveSignedAsync(string token, string? keyId, CancellationToken cancellationToken)
    {
        // Read before the attempt, so that a fetch which completes meanwhile counts as a change.
        var before = _keys();
        return await VerifyAsync(token)
            || (_fetched is not null && await _fetched.HasOtherKeysAsync(before, keyId, cancellationToken) && await VerifyAsync(token));
    }

    private async ValueTask<bool> VerifyAsync(string token) => (await Handler.ValidateTokenAsync(token, _parameters)).IsValid;

    /// <summary>Reads the configured keys.</summary>
    /// <exception cref="FormatException">A key is faulty or too short.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static IReadOnlyList<TokenKey> Read(MercureIssuer options) =>
        [
            .. options.Secrets.Select(OfSecret),
            .. options.SecretFiles.Select(file => OfSecret(File.ReadAllText(file).TrimEnd())),
            .. options.Keys.SelectMany(TokenKey.Parse),
            .. options.KeyFiles.SelectMany(file => TokenKey.Parse(File.ReadAllText(file))),
        ];

    /// <summary>Adds the faults of an issuer's options.</summary>
    public static void Check(MercureIssuer options, string at, MercureDialects dialects, List<string> faults)
    {
        var hasAddress = options.KeySetUrl is not null || options.Authority is not null;
        if (options.Secrets.Count + options.SecretFiles.Count + options.Keys.Count + options.KeyFiles.Count == 0 && !hasAddress)
            faults.Add($"{at} has no keys: set Secrets, SecretFiles, Keys, KeyFiles, KeySetUrl or Authority.");
        if (options.Issuer.Length == 0 && dialects == MercureDialects.Version1)
            faults.Add($"{at}.Issuer is missing. Set the value of 'iss' in its tokens.");
        if (options.KeySetUrl is not null && options.Authority is not null)
            faults.Add($"{at}: set KeySetUrl or Authority, not both.");
        if (options.KeySetUrl is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var uri) && IsAllowed(uri, options)))
            faults.Add($"{at}.KeySetUrl: '{url}' is not an https address.");
        if (ToTrusted(options) is { } trusted && (trusted.AuthorityFault() ?? trusted.KeyRefreshFault()) is { } fault)
            faults.Add($"{at}: {fault}.");
        if (options is { MayPublish: false, MaySubscribe: false })
            faults.Add($"{at} permits nothing. Set MayPublish or MaySubscribe.");
        try
        {
            _ = Read(options);
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            faults.Add($"{at}: {exception.Message.TrimEnd('.')}.");
        }
    }

    /// <summary>Returns the issuer in the form that fetches of keys take.</summary>
    public static TrustedIssuer ToTrusted(MercureIssuer options) =>
        new()
        {
            Issuer = options.Issuer,
            Authority = options.Authority,
            RequireHttpsMetadata = options.RequireHttpsMetadata,
            KeyRefreshInterval = options.KeyRefreshInterval,
        };

    private static bool IsAllowed(Uri address, MercureIssuer options) => TrustedIssuer.IsAllowed(address, options.RequireHttpsMetadata);

    private static TokenKey OfSecret(string secret) => TokenKey.OfSecret(Encoding.UTF8.GetBytes(secret), keyId: null);
}
