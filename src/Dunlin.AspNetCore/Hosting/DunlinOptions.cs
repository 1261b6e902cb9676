using System.ComponentModel.DataAnnotations;
using Dunlin.Journal;
using Dunlin.Presence;
using Dunlin.Scheduling;
using Dunlin.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Hosting;

/// <summary>Holds the options that most applications set.</summary>
/// <remarks>A null value leaves the option of the named class unchanged. A <c>Configure</c> call for that class after <c>AddDunlin</c>
/// overrides the value set here.</remarks>
public sealed class DunlinOptions
{
    /// <summary>
    /// Age at which events are removed. Sets <c>RetentionOptions.Default.MaxAge</c>. Default: null, which leaves that option unchanged.
    /// Range: 1 minute to 10 years.
    /// </summary>
    [TimeSpanRange("00:01:00", "3650.00:00:00")]
    public TimeSpan? EventRetention { get; set; }

    /// <summary>
    /// Time without data before a stream sends a heartbeat. Sets <c>EventStreamOptions.Heartbeat</c>. Default: null, which leaves that
    /// option unchanged. Range: 1 s to 10 minutes.
    /// </summary>
    [TimeSpanRange("00:00:01", "00:10:00")]
    public TimeSpan? Heartbeat { get; set; }

    /// <summary>
    /// Largest number of open streams of one user on one node. Sets <c>EventStreamOptions.MaxPerUser</c>. Default: null, which leaves
    /// that option unchanged. Range: at least 1.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int? MaxStreamsPerUser { get; set; }

    /// <summary>
    /// Time for which a user stays present after the last connection closes. Sets <c>PresenceOptions.Grace</c>. Default: null, which
    /// leaves that option unchanged. Range: zero to 1 hour.
    /// </summary>
    [TimeSpanRange("00:00:00", "01:00:00")]
    public TimeSpan? PresenceGrace { get; set; }

    /// <summary>
    /// Time over which a stopping host closes its streams. Sets <c>HostingOptions.DrainWindow</c>. Default: null, which leaves that
    /// option unchanged. Range: zero to 10 minutes.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan? DrainWindow { get; set; }
}

/// <summary>Copies <see cref="DunlinOptions"/> to the options classes of the components.</summary>
internal sealed class DunlinOptionsMap
{
    public static void Apply(IServiceCollection services)
    {
        services
            .AddOptions<RetentionOptions>()
            .Configure<IOptions<DunlinOptions>>((part, all) => part.Default.MaxAge = all.Value.EventRetention ?? part.Default.MaxAge);
        services
            .AddOptions<EventStreamOptions>()
            .Configure<IOptions<DunlinOptions>>(
                (part, all) =>
                {
                    part.Heartbeat = all.Value.Heartbeat ?? part.Heartbeat;
                    part.MaxPerUser = all.Value.MaxStreamsPerUser ?? part.MaxPerUser;
                }
            );
        services
            .AddOptions<PresenceOptions>()
            .Configure<IOptions<DunlinOptions>>((part, all) => part.Grace = all.Value.PresenceGrace ?? part.Grace);
        services
            .AddOptions<HostingOptions>()
            .Configure<IOptions<DunlinOptions>>((part, all) => part.DrainWindow = all.Value.DrainWindow ?? part.DrainWindow);
    }
}

[OptionsValidator]
internal sealed partial class DunlinOptionsValidator : IValidateOptions<DunlinOptions>;
