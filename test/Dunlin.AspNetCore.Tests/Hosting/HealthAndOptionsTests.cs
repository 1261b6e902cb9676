using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Presence;
using Dunlin.Scheduling;
using Dunlin.Streams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Hosting;

public sealed class HealthAndOptionsTests
{
    [Fact]
    public async Task Checks_are_registered_once_with_their_tags()
    {
        await using var provider = Build(static services => services.AddHealthChecks().AddDunlin().AddDunlin());
        var registered = provider.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;
        Assert.Equal(
            ["dunlin-live live", "dunlin-store ready", "dunlin-node ready", "dunlin-loops ready"],
            registered.Select(check => $"{check.Name} {string.Join(",", check.Tags)}")
        );
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Healthy, report.Status);
    }

    [Fact]
    public async Task A_loop_that_keeps_failing_degrades_health_and_is_named()
    {
        await using var provider = Build(static services => services.AddHealthChecks().AddDunlin());
        await using var loop = new BackgroundLoop(
            "test loop",
            static (_, stopping) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping),
            TimeProvider.System,
            NullLogger.Instance,
            registry: provider.GetRequiredService<BackgroundLoops>()
        );
        loop.Start();
        for (var i = 0; i < BackgroundLoop.FailingAfter; i++)
            loop.ReportFault(new FormatException());
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.Contains("test loop", report.Entries["dunlin-loops"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_options_reach_their_components_and_others_keep_defaults()
    {
        await using var provider = Build(configure: options =>
        {
            options.EventRetention = TimeSpan.FromDays(2);
            options.Heartbeat = TimeSpan.FromSeconds(20);
            options.DrainWindow = TimeSpan.Zero;
        });
        Assert.Equal(TimeSpan.FromDays(2), provider.GetRequiredService<IOptions<RetentionOptions>>().Value.Default.MaxAge);
        var streams = provider.GetRequiredService<IOptions<EventStreamOptions>>().Value;
        Assert.Equal((TimeSpan.FromSeconds(20), 50), (streams.Heartbeat, streams.MaxPerUser));
        Assert.Equal(TimeSpan.Zero, provider.GetRequiredService<IOptions<HostingOptions>>().Value.DrainWindow);
        Assert.Equal(new PresenceOptions().Grace, provider.GetRequiredService<IOptions<PresenceOptions>>().Value.Grace);
    }

    [Fact]
    public async Task An_option_out_of_range_is_refused_by_name()
    {
        await using var provider = Build(configure: static options => options.Heartbeat = TimeSpan.Zero);
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<DunlinOptions>>().Value);
        Assert.Contains("Heartbeat", error.Message, StringComparison.Ordinal);
    }

    private static ServiceProvider Build(Action<IServiceCollection>? add = null, Action<DunlinOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddDunlin(configure ?? (static _ => { })).AddInMemory();
        add?.Invoke(services);
        return services.BuildServiceProvider();
    }
}
