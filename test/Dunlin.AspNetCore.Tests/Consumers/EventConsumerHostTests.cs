using Dunlin.Consumers;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Consumers;

/// <summary>Event consumers in a host: registration, scopes, health and settings.</summary>
public sealed class EventConsumerHostTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_failing_group_is_unhealthy_until_its_batch_succeeds()
    {
        var index = new SearchIndex { Fault = "the index is down" };
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton(index),
            engine: dunlin => PageSnippet.Add(dunlin)
        );
        var (loops, consumers) = (host.Services.GetRequiredService<BackgroundLoops>(), host.Services.GetRequiredService<EventConsumers>());
        await host.PublishAsync("orders/1", 1);
        await UntilAsync(host.Time, () => loops.Failing.Contains("consumer group search"));
        var failed = Assert.Single(await consumers.ListAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("search", true, "the index is down"), (failed.Group, failed.IsHeld, failed.Fault));
        Assert.True(failed.Failures >= 3);
        index.Fault = null;
        await UntilAsync(host.Time, () => !index.Topics.IsEmpty && loops.Failing.Count == 0);
        Assert.Equal(["orders/1"], index.Topics.Distinct());
    }

    [Fact]
    public async Task Wrong_settings_stop_the_start_with_a_reason()
    {
        var none = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(_ => { }));
        Assert.Contains("Patterns of group 'search' is empty", none.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(options => options.Patterns.Add("a/**/b")));
        Assert.Contains("'**' must be the last segment", wrong.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<OptionsValidationException>(() =>
            StartAsync(options =>
            {
                options.Patterns.Add("a");
                options.BatchSize = 0;
            })
        );
        var twice = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            EngineHost.StartAsync(
                services => services.AddSingleton<SearchIndex>(),
                engine: dunlin => PageSnippet.Add(PageSnippet.Add(dunlin))
            )
        );
        Assert.Contains("Two consumers are registered for the group 'search'", twice.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddDunlin().AddEventConsumer<SearchIndexer>("a b", _ => { }));
    }

    private static Task<EngineHost> StartAsync(Action<EventConsumerOptions> configure) =>
        EngineHost.StartAsync(
            services => services.AddSingleton<SearchIndex>(),
            engine: dunlin => dunlin.AddEventConsumer<SearchIndexer>("search", configure)
        );

    private static async Task UntilAsync(ManualTime time, Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, limit.Token);
        }
    }
}
