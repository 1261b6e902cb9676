using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Access tokens (JWT): how this server's own are made, and whose else are taken.</summary>
public sealed class AccessTokenOptions
{
    /// <summary>The longest difference between clocks that is borne.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>Who issues this server's own tokens (<c>iss</c>). Default: <c>dunlin</c>.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public string Issuer { get; set; } = "dunlin";

    /// <summary>Whom they are for (<c>aud</c>). Default: <c>dunlin</c>.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public string Audience { get; set; } = "dunlin";

    /// <summary>How long a token of this server lasts. Default: 15 minutes. The client refreshes it from its session.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How far the clocks of issuer and server may differ: a token is honoured so much longer and earlier.
    /// Default and most: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:30")]
    public TimeSpan ClockSkew { get; set; } = MaxClockSkew;

    /// <summary>
    /// The secret that signs this server's own tokens, HS256: 32 bytes or more in base64. Needed where several nodes serve
    /// one site. Default: null, which makes one at the first start and keeps it in <see cref="SigningKeyFile"/>.
    /// </summary>
    public string? SigningKey { get; set; }

    /// <summary>Where the secret is kept that was made at the first start, readable by the server's user only. Default:
    /// <c>data/signing.key</c>; relative to the content root.</summary>
    [Required, MinLength(1)]
    public string SigningKeyFile { get; set; } = Path.Combine("data", "signing.key");

    /// <summary>Identity providers whose tokens are taken too. Default: none.</summary>
    [Required]
    public IList<TrustedIssuer> TrustedIssuers { get; } = [];
}

/// <summary>An identity provider that is believed about who a user is.</summary>
public sealed class TrustedIssuer
{
    /// <summary>Its <c>iss</c>, exactly.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The <c>aud</c> that its tokens for this server carry, exactly.</summary>
    public string Audience { get; set; } = "";

    /// <summary>Its keys, each as PEM public key, JWK or JWK set. RSA proves RS256, EC P-256 proves ES256, an <c>oct</c>
    /// JWK proves HS256, and each key nothing else.</summary>
    public IList<string> Keys { get; } = [];

    /// <summary>Files with such keys, read once at the start; relative to the working directory. Default: none.</summary>
    public IList<string> KeyFiles { get; } = [];

    /// <summary>
    /// The address of its OpenID Connect discovery document without <c>/.well-known/openid-configuration</c>. The keys that the
    /// document names are added to <see cref="Keys"/>: RSA for RS256, EC P-256 for ES256. They are fetched at the start, at every
    /// <see cref="KeyRefreshInterval"/>, and when a token names an unknown key, so the issuer can rotate them without a restart.
    /// The document must name <see cref="Issuer"/> exactly. Default: null, which fetches nothing.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>Whether discovery document and keys are fetched over https only; loopback addresses are always allowed.
    /// Default: true. Whoever can change the answer of an http address can sign in as anybody.</summary>
    public bool RequireHttpsMetadata { get; set; } = true;

    /// <summary>How often the keys of <see cref="Authority"/> are fetched: a key that the issuer removes is honoured for so long
    /// at most. Default: one hour.</summary>
    [Range(typeof(TimeSpan), MinKeyRefresh, MaxKeyRefresh)]
    public TimeSpan KeyRefreshInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The claim with the roles, a text or a list of texts. Default: <c>roles</c>.</summary>
    public string RolesClaim { get; set; } = DunlinClaims.Role;

    /// <summary>Put before <c>sub</c> to make the user id, so that its users cannot be taken for others of the same id.
    /// Default: empty, which shares one space of ids.</summary>
    public string UserIdPrefix { get; set; } = "";

    /// <summary>Values of the header <c>typ</c> that are taken. Empty: <c>JWT</c> and <c>at+jwt</c>.</summary>
    public IList<string> Types { get; } = [];

    private const string MinKeyRefresh = "00:00:30";
    private const string MaxKeyRefresh = "1.00:00:00";

    internal IEnumerable<TokenKey> ReadKeys() => Keys.Concat(KeyFiles.Select(File.ReadAllText)).SelectMany(TokenKey.Parse);

    internal static bool IsAllowed(Uri address, bool requiresHttps) =>
        address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && (!requiresHttps || address.IsLoopback));

    internal string? AuthorityFault() =>
        Authority switch
        {
            null => null,
            _ when !Uri.TryCreate(Authority, UriKind.Absolute, out var uri)
                    || uri.Query.Length + uri.Fragment.Length + uri.UserInfo.Length > 0 =>
                $"'{Authority}' is not an address; write one such as https://login.example.com",
            _ when !IsAllowed(new Uri(Authority), RequireHttpsMetadata) => $"'{Authority}' is not an https address; use https, "
                + "or set RequireHttpsMetadata to false on a network where nobody can change answers",
            _ => null,
        };

    internal string? KeyRefreshFault() =>
        KeyRefreshInterval < TimeSpan.Parse(MinKeyRefresh, CultureInfo.InvariantCulture)
        || KeyRefreshInterval > TimeSpan.Parse(MaxKeyRefresh, CultureInfo.InvariantCulture)
            ? $"{KeyRefreshInterval:c} is not between {MinKeyRefresh} and {MaxKeyRefresh}"
            : null;
}

internal sealed class AccessTokenOptionsValidator : IValidateOptions<AccessTokenOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessTokenOptions options)
    {
        var faults = new List<string>();
        if (options.SigningKey is not null)
            Try("AccessTokenOptions.SigningKey", () => SigningKeyStore.Decode(options.SigningKey), faults);
        for (var i = 0; i < options.TrustedIssuers.Count; i++)
        {
            var issuer = options.TrustedIssuers[i];
            var at = $"AccessTokenOptions.TrustedIssuers[{i}]";
            if (issuer.Issuer.Length == 0)
                faults.Add($"{at}.Issuer is missing.");
            if (issuer.Issuer == options.Issuer || options.TrustedIssuers.Take(i).Any(other => other.Issuer == issuer.Issuer))
                faults.Add($"{at}.Issuer '{issuer.Issuer}' is used twice.");
            if (issuer.Audience.Length == 0)
                faults.Add($"{at}.Audience is missing.");
            if (issuer.Keys.Count + issuer.KeyFiles.Count == 0 && issuer.Authority is null)
                faults.Add($"{at} has no keys: set Authority, Keys or KeyFiles.");
            if (issuer.AuthorityFault() is { } authorityFault)
                faults.Add($"{at}.Authority: {authorityFault}.");
            if (issuer.KeyRefreshFault() is { } refreshFault)
                faults.Add($"{at}.KeyRefreshInterval: {refreshFault}.");
            for (var k = 0; k < issuer.Keys.Count; k++)
            {
                var text = issuer.Keys[k];
                Try($"{at}.Keys[{k}]", () => TokenKey.Parse(text), faults);
            }
            for (var k = 0; k < issuer.KeyFiles.Count; k++)
            {
                var file = issuer.KeyFiles[k];
                Try($"{at}.KeyFiles[{k}] ('{file}')", () => TokenKey.Parse(File.ReadAllText(file)), faults);
            }
        }
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void Try(string option, Func<object> read, List<string> faults)
    {
        try
        {
            read();
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            faults.Add($"{option}: {exception.Message.TrimEnd('.')}.");
        }
    }
}
