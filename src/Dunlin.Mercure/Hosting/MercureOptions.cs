using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Mercure;

/// <summary>The versions of the Mercure protocol that a hub answers.</summary>
[Flags]
public enum MercureDialects
{
    /// <summary>Protocol 1.0: <c>match</c> parameters and access tokens of type <c>at+jwt</c>.</summary>
    Version1 = 1,

    /// <summary>Protocol 0.x: <c>topic</c> parameters and the claim <c>mercure</c>.</summary>
    Version0 = 2,

    /// <summary>Both protocols at one address.</summary>
    Both = Version1 | Version0,
}

/// <summary>Holds the options of a Mercure hub.</summary>
public sealed class MercureOptions
{
    /// <summary>Whether the server answers the Mercure protocol. Only <c>dunlin serve</c> reads it. Default: false.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The public URL of the hub, as publishers and readers see it, such as <c>https://example.com/.well-known/mercure</c>. Relative topics
    /// and the namespace of the hub depend on it. Required.
    /// </summary>
    public string Url { get; set; } = "";

    /// <summary>The versions of the protocol. Default: <see cref="MercureDialects.Version1"/>.</summary>
    public MercureDialects Dialects { get; set; } = MercureDialects.Version1;

    /// <summary>The audience (<c>aud</c>) of tokens of version 1.0. Default: null, which means <see cref="Url"/>.</summary>
    public string? ResourceIdentifier { get; set; }

    /// <summary>The issuers whose tokens are accepted. Without one, nobody can publish. Default: none.</summary>
    public IList<MercureIssuer> Issuers { get; } = [];

    /// <summary>Issuer identifiers of authorization servers to name in the metadata of the hub. Default: none.</summary>
    public IList<string> AuthorizationServers { get; } = [];

    /// <summary>Whether readers need a token. False also admits readers without one, who receive public updates only. Default:
    /// false.</summary>
    public bool RequireToken { get; set; }

    /// <summary>The cookie with the token of a browser, for version 1.0. Default: <c>__Secure-mercure_access_token</c>.</summary>
    [Required]
    public string CookieName { get; set; } = "__Secure-mercure_access_token";

    /// <summary>The cookie with the token of a browser, for version 0.x. Default: <c>mercureAuthorization</c>.</summary>
    [Required]
    public string LegacyCookieName { get; set; } = "mercureAuthorization";

    /// <summary>
    /// Origins of pages that may read from the hub, such as <c>https://www.example.com</c>. <c>*</c> allows all pages, without cookies.
    /// Default: none.
    /// </summary>
    public IList<string> CorsOrigins { get; } = [];

    /// <summary>Origins of pages that may publish with a cookie, beside the origin of the hub itself. Default: none.</summary>
    public IList<string> PublishOrigins { get; } = [];

    /// <summary>Largest request body of a publication in bytes. Default: 1 MiB. Range: 1 KiB to 1 MiB.</summary>
    [Range(1024, 1024 * 1024)]
    public int MaxUpdateBytes { get; set; } = 1024 * 1024;

    /// <summary>Largest number of topic matchers of one stream. Default: 100. Range: 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxMatchers { get; set; } = 100;

    /// <summary>
    /// Time after which a stream ends, so that its reader connects again and its token is checked again. It resumes without a gap. Default:
    /// 4 hours. Range: 1 second to 30 days.
    /// </summary>
    [TimeSpanRange("00:00:01", "30.00:00:00")]
    public TimeSpan MaxStreamDuration { get; set; } = TimeSpan.FromHours(4);

    /// <summary>
    /// Whether the hub gives updates without an id a random one. False gives them their position, which tells how many events lie between
    /// two updates, but costs no index row. Default: false.
    /// </summary>
    public bool RandomIds { get; set; }

    /// <summary>Whether the hub publishes the begin and end of subscriptions, and serves lists of them. Default: false.</summary>
    public bool Subscriptions { get; set; }
}

/// <summary>Holds one issuer of tokens, with the keys that verify them.</summary>
public sealed class MercureIssuer
{
    /// <summary>
    /// The exact value of <c>iss</c>. Version 1.0 requires it. Empty: tokens of version 0.x without a known <c>iss</c>. Default: empty.
    /// </summary>
    public string Issuer { get; set; } = "";

    /// <summary>HS256 secrets as text: at least 32 bytes of UTF-8 each. Default: none.</summary>
    public IList<string> Secrets { get; } = [];

    /// <summary>Files with one HS256 secret each. White space at the end is ignored. Default: none.</summary>
    public IList<string> SecretFiles { get; } = [];

    /// <summary>Public keys as PEM, JWK or JWK set, for RS256 and ES256. Default: none.</summary>
    public IList<string> Keys { get; } = [];

    /// <summary>Files with a PEM, JWK or JWK set each. Default: none.</summary>
    public IList<string> KeyFiles { get; } = [];

    /// <summary>The address of a JWK set, which the hub fetches and refreshes. Default: null.</summary>
    public string? KeySetUrl { get; set; }

    /// <summary>
    /// The address of an issuer with an OpenID Connect discovery document. The hub fetches its keys and refreshes them. Default: null.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>Whether keys are fetched over https only. Loopback addresses are always allowed. Default: true.</summary>
    public bool RequireHttpsMetadata { get; set; } = true;

    /// <summary>Time between two fetches of keys. Default: 1 hour. Range: 30 seconds to 1 day.</summary>
    public TimeSpan KeyRefreshInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether tokens of these keys may publish. Set it to false for keys of readers. Default: true.</summary>
    public bool MayPublish { get; set; } = true;

    /// <summary>Whether tokens of these keys may read private updates. Set it to false for keys of publishers. Default: true.</summary>
    public bool MaySubscribe { get; set; } = true;
}

[OptionsValidator]
internal sealed partial class MercureAnnotationsValidator : IValidateOptions<MercureOptions>;

/// <summary>Checks what attributes cannot: the URL, the keys and the origins.</summary>
internal sealed class MercureOptionsValidator : IValidateOptions<MercureOptions>
{
    public ValidateOptionsResult Validate(string? name, MercureOptions options)
    {
        var faults = new List<string>();
        if (UrlFault(options.Url) is { } urlFault)
            faults.Add($"MercureOptions.Url: {urlFault}");
        if (options.Dialects is not (MercureDialects.Version1 or MercureDialects.Version0 or MercureDialects.Both))
            faults.Add($"MercureOptions.Dialects: '{options.Dialects}' is not Version1, Version0 or Both.");
        Origins(options.CorsOrigins, "CorsOrigins", allowsAny: true, faults);
        Origins(options.PublishOrigins, "PublishOrigins", allowsAny: false, faults);
        for (var i = 0; i < options.Issuers.Count; i++)
            Access.IssuerKeys.Check(options.Issuers[i], $"MercureOptions.Issuers[{i}]", options.Dialects, faults);
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static string? UrlFault(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            return $"'{url}' is not an http(s) URL. Write one such as https://example.com/.well-known/mercure.";
        return
            uri.Query.Length + uri.Fragment.Length + uri.UserInfo.Length > 0 || uri.AbsolutePath.Length < 2 || uri.AbsolutePath[^1] == '/'
            ? $"'{url}' must have a path without a slash at its end, and no query, fragment or user."
            : null;
    }

    private static void Origins(IList<string> origins, string option, bool allowsAny, List<string> faults)
    {
        foreach (var origin in origins)
        {
            if (allowsAny && origin == "*")
                continue;
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.GetLeftPart(UriPartial.Authority) != origin)
                faults.Add($"MercureOptions.{option}: '{origin}' is not an origin. Write one such as https://www.example.com.");
        }
    }
}
