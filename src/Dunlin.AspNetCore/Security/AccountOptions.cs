using System.ComponentModel.DataAnnotations;

namespace Dunlin.Security;

/// <summary>Password accounts and their sessions.</summary>
public sealed class AccountOptions
{
    /// <summary>How long a sign-in lasts without signing in again. Default: seven days.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The shortest password that a new one may be, in characters. Default: 8.</summary>
    [Range(1, 128)]
    public int MinPasswordLength { get; set; } = 8;

    /// <summary>Failed sign-ins of one account after which each further one must wait, twice as long each time. Default: 5.
    /// Zero turns this off.</summary>
    [Range(0, 1000)]
    public int FailuresPerAccount { get; set; } = 5;

    /// <summary>
    /// The same for one address (IPv6: one /64 network), over all accounts. Default: 50, since many people may share one.
    /// Zero turns this off. Behind a proxy the address is the proxy's, unless the forwarded headers of ASP.NET Core are
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
}
