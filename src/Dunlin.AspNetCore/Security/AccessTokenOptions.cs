using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Access tokens (JWT): the server's own, and those of trusted issuers.</summary>
public sealed class AccessTokenOptions
{
    /// <summary>The maximum of <see cref="ClockSkew"/>: 30 seconds.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>The issuer (<c>iss</c>) of the server's own tokens. Default: <c>dunlin</c>.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public string Issuer { get; set; } = "dunlin";

    /// <summary>The audience (<c>aud</c>) of the server's own tokens. Default: <c>dunlin</c>.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public string Audience { get; set; } = "dunlin";

    /// <summary>
    /// Lifetime of a token of this server. The client refreshes it from its session. Default: 15 minutes. Range: 10 s to 1 day.
    /// </summary>
    [TimeSpanRange("00:00:10", "1.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Largest difference between the clocks of issuer and server. A token is accepted this much earlier and later. Default: 30 s. Range:
    /// zero to 30 s.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:00:30")]
    public TimeSpan ClockSkew { get; set; } = MaxClockSkew;

    /// <summary>
    /// The secret that signs the server's own tokens with HS256: at least 32 bytes in base64. Set it if several nodes serve one site.
    /// Without it, the server creates a key at its first start and stores it in <see cref="SigningKeyFile"/>. Default: null.
    /// </summary>
    public string? SigningKey { get; set; }

    /// <summary>
    /// The file of the key that the server creates, readable by the server's user only. Relative to the content root; <c>dunlin</c> uses
    /// its data folder. Default: <c>data/signing.key</c>.
    /// </summary>
    [Required]
    public string SigningKeyFile { get; set; } = Path.Combine("data", "signing.key");

    /// <summary>Identity providers whose tokens are also accepted. Default: empty.</summary>
    [Required]
#pragma warning disable SYSLIB1213 // AccessTokenOptionsValidator checks the entries, and its errors name their index
    public IList<TrustedIssuer> TrustedIssuers { get; } = [];
#pragma warning restore SYSLIB1213
}

/// <summary>An identity provider whose tokens the server accepts.</summary>
public sealed class TrustedIssuer
{
    /// <summary>The <c>iss</c> of its tokens, compared exactly. Required.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The <c>aud</c> of its tokens for this server, compared exactly. Required.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// Its keys, each as PEM public key, JWK or JWK set. RSA verifies RS256, EC P-256 verifies ES256, and an <c>oct</c> JWK verifies
    /// HS256. Default: empty.
    /// </summary>
    public IList<string> Keys { get; } = [];

    /// <summary>Files with such keys, read once at the start. Relative to the working directory. Default: empty.</summary>
    public IList<string> KeyFiles { get; } = [];

    /// <summary>
    /// The address of its OpenID Connect discovery document without <c>/.well-known/openid-configuration</c>. The server adds the
    /// document's RSA and EC P-256 keys to <see cref="Keys"/>. It fetches them at the start, at every <see cref="KeyRefreshInterval"/>,
    /// and when a token names an unknown key. The document must name <see cref="Issuer"/> exactly. Default: null.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>
    /// Whether the server fetches the discovery document and keys over https only. Loopback addresses are always allowed. An attacker who
    /// can change an http response can sign in as anybody. Default: true.
    /// </summary>
    public bool RequireHttpsMetadata { get; set; } = true;

    /// <summary>
    /// Time between two fetches of the keys of <see cref="Authority"/>. A key that the issuer removes is accepted for at most this time.
    /// Default: 1 hour. Range: 30 s to 1 day.
    /// </summary>
    [TimeSpanRange(MinKeyRefresh, MaxKeyRefresh)]
    public TimeSpan KeyRefreshInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The claim with the roles: a string or an array of strings. Default: <c>roles</c>.</summary>
    public string RolesClaim { get; set; } = DunlinClaims.Role;

    /// <summary>
    /// Text before <c>sub</c> in the user id. Set it to keep the users of this issuer apart from those of others with the same
    /// <c>sub</c>. Default: empty.
    /// </summary>
    public string UserIdPrefix { get; set; } = "";

    /// <summary>Accepted values of the header <c>typ</c>. Empty: <c>JWT</c> and <c>at+jwt</c>. Default: empty.</summary>
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
                faults.Add($"{at}.Issuer '{issuer.Issuer}' is used twice. Merge the entries.");
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

[OptionsValidator]
internal sealed partial class AccessTokenAnnotationsValidator : IValidateOptions<AccessTokenOptions>;
