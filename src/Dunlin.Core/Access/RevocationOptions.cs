using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Access;

/// <summary>How long the store keeps revocations.</summary>
public sealed class RevocationOptions
{
    /// <summary>
    /// Time for which the store keeps the revocation of one session. At least the lifetime of a token that is bound to a session. The
    /// revocation of all access of a user is kept for ever. Default: 30 days. Range: 1 minute to 10 years.
    /// </summary>
    [TimeSpanRange("00:01:00", "3650.00:00:00")]
    public TimeSpan SessionAge { get; set; } = TimeSpan.FromDays(30);
}

[OptionsValidator]
internal sealed partial class RevocationOptionsValidator : IValidateOptions<RevocationOptions>;
