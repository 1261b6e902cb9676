using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Holds the options of password accounts and their sessions.</summary>
public sealed class AccountOptions
{
    /// <summary>Gets or sets the lifetime of a session after sign-in: 1 minute to 365 days. Default: 7 days.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Gets or sets the minimum length of a new password in characters: 1 to 128. Default: 8.</summary>
    [Range(1, 128)]
    public int MinPasswordLength { get; set; } = 8;

    /// <summary>Gets or sets the number of failed sign-ins of an account after which each further attempt must wait: 0 to 1,000. Default:
    /// 5. Zero disables the wait.</summary>
    /// <remarks>The wait doubles with each attempt. The store keeps the count, so it applies to all nodes and survives restarts.</remarks>
    [Range(0, 1000)]
    public int FailuresPerAccount { get; set; } = 5;

    /// <summary>Gets or sets the number of failed sign-ins from one address, for all accounts, after which each further attempt must wait:
    /// 0 to 100,000. Default: 50, because many users may share an address. Zero disables the wait.</summary>
    /// <remarks>Each node counts separately. An IPv6 address counts as its /64 network. Behind a proxy, all requests come from the address
    /// of the proxy unless the forwarded headers of ASP.NET Core are configured.</remarks>
    [Range(0, 100_000)]
    public int FailuresPerAddress { get; set; } = 50;

    /// <summary>Gets or sets the maximum wait between two attempts: 1 second to 1 hour. Default: 1 minute. It limits how long an attacker
    /// can lock out the owner of an account.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets or sets the time without a failure after which the count returns to zero: 1 second to 1 day. Default: 15
    /// minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan FailureMemory { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Gets or sets the name of the session cookie: 1 to 100 characters of a token (RFC 9110, section 5.6.2). Default: null, which
    /// means <c>dunlin_session_</c> and eight digits derived from the signing key.</summary>
    /// <remarks>The derived name keeps two servers on one host name apart. All nodes of a site need the same name. Browsers accept a name
    /// that begins with <c>__Host-</c> over https only (RFC 6265bis, section 4.1.3.2).</remarks>
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
