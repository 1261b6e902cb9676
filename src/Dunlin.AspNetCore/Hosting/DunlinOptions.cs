using System.ComponentModel.DataAnnotations;
using Dunlin.Journal;
using Dunlin.Presence;
using Dunlin.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Hosting;

/// <summary>Holds the options that most applications set.</summary>
/// <remarks>A null value leaves the option of the named class unchanged. A <c>Configure</c> call for that class after <c>AddDunlin</c>
/// overrides the value set here.</remarks>
public sealed class DunlinOptions
{
    /// <summary>Gets or sets how long events are kept: 1 minute to 10 years. Sets <see cref="RetentionOptions.Default"/>.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan? EventRetention { get; set; }

    /// <summary>Gets or sets the time between heartbeats of an idle stream: 1 second to 10 minutes. Sets
    /// <see cref="EventStreamOptions.Heartbeat"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan? Heartbeat { get; set; }

    /// <summary>Gets or sets how many streams one user may have open on one node: at least 1. Sets
    /// <see cref="EventStreamOptions.MaxPerUser"/>.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxStreamsPerUser { get; set; }

    /// <summary>Gets or sets the delay between the end of a user's last connection and the announcement that the user left: 0 to 1 hour.
    /// Sets <see cref="PresenceOptions.Grace"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan? PresenceGrace { get; set; }

    /// <summary>Gets or sets the time over which a stopping host closes its streams: 0 to 10 minutes. Sets
    /// <see cref="HostingOptions.DrainWindow"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
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
