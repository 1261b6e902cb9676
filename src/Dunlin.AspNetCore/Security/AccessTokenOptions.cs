using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Holds the options of access tokens (JWT, RFC 7519): how this server issues its own, and which other issuers it
/// trusts.</summary>
public sealed class AccessTokenOptions
{
    /// <summary>The maximum of <see cref="ClockSkew"/>: 30 seconds.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the issuer of this server's own tokens (<c>iss</c>): 1 to 200 characters. Default: <c>dunlin</c>.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public string Issuer { get; set; } = "dunlin";

    /// <summary>Gets or sets the audience of this server's own tokens (<c>aud</c>): 1 to 200 characters. Default: <c>dunlin</c>.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public string Audience { get; set; } = "dunlin";

    /// <summary>Gets or sets the lifetime of this server's own tokens: 10 seconds to 1 day. Default: 15 minutes. The client gets a new
    /// token with its session.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Gets or sets the allowed difference between the clocks of issuer and server: 0 to 30 seconds. Default: 30 seconds. A token
    /// is valid by this much earlier and longer.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:30")]
    public TimeSpan ClockSkew { get; set; } = MaxClockSkew;

    /// <summary>Gets or sets the secret that signs this server's own tokens (HS256): 32 bytes or more, in base64. Required where several
    /// nodes serve one site. Default: null, which generates a secret at the first start and stores it in
    /// <see cref="SigningKeyFile"/>.</summary>
    public string? SigningKey { get; set; }

    /// <summary>Gets or sets the file of the generated secret. Only the user of the server process can read it. A relative path starts at
    /// the content root. Default: <c>data/signing.key</c>.</summary>
    [Required, MinLength(1)]
    public string SigningKeyFile { get; set; } = Path.Combine("data", "signing.key");

    /// <summary>Gets the identity providers whose tokens this server accepts in addition to its own. Default: none.</summary>
    [Required]
    public IList<TrustedIssuer> TrustedIssuers { get; } = [];
}

/// <summary>Describes an identity provider whose tokens this server accepts.</summary>
public sealed class TrustedIssuer
{
    /// <summary>Gets or sets the exact <c>iss</c> of its tokens.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>Gets or sets the exact <c>aud</c> of its tokens for this server.</summary>
    public string Audience { get; set; } = "";

    /// <summary>Gets its keys, each as PEM public key, JWK or JWK set. An RSA key verifies RS256, an EC P-256 key ES256 and an <c>oct</c>
    /// JWK HS256. No key verifies another algorithm.</summary>
    public IList<string> Keys { get; } = [];

    /// <summary>Gets the files with further keys in the formats of <see cref="Keys"/>. The server reads them once, at the start. A relative
    /// path starts at the working directory. Default: none.</summary>
    public IList<string> KeyFiles { get; } = [];

    /// <summary>Gets or sets the address of its OpenID Connect discovery document, without <c>/.well-known/openid-configuration</c>.
    /// Default: null, which fetches no keys.</summary>
    /// <remarks>
    /// The keys of the document are added to <see cref="Keys"/>: RSA for RS256, EC P-256 for ES256. The server fetches them at the start,
    /// at each <see cref="KeyRefreshInterval"/>, and when a token names an unknown key. The issuer can therefore rotate keys without a
    /// restart. The document must name <see cref="Issuer"/> exactly (OpenID Connect Discovery 1.0, section 4.3).
    /// </remarks>
    public string? Authority { get; set; }

    /// <summary>Gets or sets whether the discovery document and the keys must have https addresses. Loopback addresses are always allowed.
    /// Default: true. An attacker who can change a response over http can sign in as any user.</summary>
    public bool RequireHttpsMetadata { get; set; } = true;

    /// <summary>Gets or sets how often the server fetches the keys of <see cref="Authority"/>: 30 seconds to 1 day. Default: 1 hour. A key
    /// that the issuer removes stays valid until the next successful fetch.</summary>
    [Range(typeof(TimeSpan), MinKeyRefresh, MaxKeyRefresh)]
    public TimeSpan KeyRefreshInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets the claim with the roles: a string or an array of strings. Default: <c>roles</c>.</summary>
    public string RolesClaim { get; set; } = DunlinClaims.Role;

    /// <summary>Gets or sets the prefix that the server puts before <c>sub</c> to form the user id. It keeps users of different issuers
    /// with the same <c>sub</c> apart. Default: empty, which means one shared set of user ids.</summary>
    public string UserIdPrefix { get; set; } = "";

    /// <summary>Gets the accepted values of the header <c>typ</c> (RFC 7519, section 5.1). Default: empty, which accepts <c>JWT</c> and
    /// <c>at+jwt</c>.</summary>
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
