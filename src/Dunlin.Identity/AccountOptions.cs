using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Identity;

/// <summary>Holds the options of password accounts and their sessions.</summary>
public sealed class AccountOptions
{
    /// <summary>Lifetime of a session. After it the user must sign in again. Default: 7 days. Range: 1 minute to 1 year.</summary>
    [TimeSpanRange("00:01:00", "365.00:00:00")]
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Shortest new password, in characters. Default: 8. Range: 1 to 128.</summary>
    [Range(1, 128)]
    public int MinPasswordLength { get; set; } = 8;

    /// <summary>
    /// Failed sign-ins of one account before each further one must wait, twice as long each time. Counted in the store, for all nodes.
    /// Zero: no limit. Default: 5. Range: 0 to 1,000.
    /// </summary>
    [Range(0, 1000)]
    public int FailuresPerAccount { get; set; } = 5;

    /// <summary>
    /// Failed sign-ins from one address (IPv6: one /64 network) before each further one must wait. Counted on each node. Many users may
    /// share one address. Behind a proxy, configure the forwarded headers of ASP.NET Core. Zero: no limit. Default: 50. Range: 0 to
    /// 100,000.
    /// </summary>
    [Range(0, 100_000)]
    public int FailuresPerAddress { get; set; } = 50;

    /// <summary>
    /// Longest wait between two attempts. An attacker can lock out the owner of an account for at most this time. Default: 1 minute.
    /// Range: 1 s to 1 hour.
    /// </summary>
    [TimeSpanRange("00:00:01", "01:00:00")]
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Time without a failure after which the count starts again at zero. Default: 15 minutes. Range: 1 s to 1 day.</summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan FailureMemory { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Name of the session cookie, in the characters of a token (RFC 9110, section 5.6.2). Without it, the name is <c>dunlin_session_</c>
    /// and eight digits from the signing key, so that two servers on one host name do not share it. All nodes of a site need the same
    /// name. Browsers accept a name with the prefix <c>__Host-</c> over https only. Default: null.
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
                $"AccountOptions.CookieName '{options.CookieName}' is not a valid cookie name. Use 1 to 100 letters, digits and {TokenPunctuation}"
            );

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || TokenPunctuation.Contains(c, StringComparison.Ordinal);
}

[OptionsValidator]
internal sealed partial class AccountAnnotationsValidator : IValidateOptions<AccountOptions>;
