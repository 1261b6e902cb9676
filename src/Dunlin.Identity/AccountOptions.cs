using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Password accounts and their sessions.</summary>
public sealed class AccountOptions
{
    /// <summary>How long a sign-in lasts without signing in again. Default: seven days.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The shortest password that a new one may be, in characters. Default: 8.</summary>
    [Range(1, 128)]
    public int MinPasswordLength { get; set; } = 8;

    /// <summary>Failed sign-ins of one account after which each further one must wait, twice as long each time. Counted in the store,
    /// over all nodes and restarts. Default: 5. Zero turns this off.</summary>
    [Range(0, 1000)]
    public int FailuresPerAccount { get; set; } = 5;

    /// <summary>
    /// The same for one address (IPv6: one /64 network), over all accounts. Counted on each node. Default: 50, since many people may
    /// share one. Zero turns this off. Behind a proxy the address is the proxy's, unless the forwarded headers of ASP.NET Core are
    /// configured.
    /// </summary>
    [Range(0, 100_000)]
    public int FailuresPerAddress { get; set; } = 50;

    /// <summary>The longest wait between two attempts. Default: one minute, so that whoever attacks an account cannot lock
    /// its owner out for longer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>After so long without a failure all is forgotten. Default: 15 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan FailureMemory { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// The name of the session cookie, in the characters of a token (RFC 9110, section 5.6.2). Default: null, which makes
    /// <c>dunlin_session_</c> and eight digits from the signing key, so that two servers on one host name keep apart. The nodes of one
    /// site need the same name. A name that begins with <c>__Host-</c> is taken by browsers over https only.
    /// </summary>
    public string? CookieName { get; set; }
}

internal sealed class AccountOptionsValidator : IValidateOptions<AccountOptions>
{
    private const string TokenPunctuation = "!#$&'*+-.^_`|~";

    public ValidateOptionsResult Validate(string? name, AccountOptions options) =>
        options.CookieName is null || (options.CookieName.Length is > 0 and <= 100 && options.CookieName.All(IsTokenCharacter))
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"AccountOptions.CookieName '{options.CookieName}' is not a cookie name: use 1 to 100 letters, digits and {TokenPunctuation}"
            );

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || TokenPunctuation.Contains(c, StringComparison.Ordinal);
}
