using System.Collections.Concurrent;
using System.Net;
using Dunlin.Hosting;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Hosting;

/// <summary>Access policies and job handlers can use scoped services such as a DbContext.</summary>
public sealed class ScopedServiceTests
{
    [Fact]
    public async Task Each_policy_call_has_a_scope_that_ends_with_its_answer()
    {
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton<Log>().AddScoped<Context>(),
            engine: dunlin => dunlin.AddAccessPolicy<Policy>("scoped")
        );
        var log = host.Services.GetRequiredService<Log>();
        await using (var reader = await host.OpenAsync("/dunlin/v1/events?topic=scoped/1&topic=scoped/2/**"))
        {
            await reader.NextAsync();
            await host.PublishAsync("scoped/1", 1);
            Assert.Equal("1", (await reader.NextAsync()).Data);
            using var ann = host.Client();
            using var lease = await ann.PutAsync("/dunlin/v1/leases/scoped/1", HttpAssert.Json("""{"leaseId":"lease-id-of-ann"}"""));
            Assert.Equal(HttpStatusCode.Created, lease.StatusCode);
            // Called outside any request.
            log.IsRefusing = true;
            host.Services.GetRequiredService<AccessChanges>().RightsChanged("ann");
            await reader.UntilAsync("dunlin.goodbye");
        }
        Assert.Superset(
            new HashSet<string>(["MayReadAsync", "MayReadAllAsync", "MayPublishAsync", "MayHoldAsync"], StringComparer.Ordinal),
            log.Questions.ToHashSet(StringComparer.Ordinal)
        );
        Assert.Equal((log.Questions.Count, log.Questions.Count, 0), (log.Made, log.Disposed, log.UsedLate));
    }

    [Fact]
    public async Task A_singleton_policy_is_one_instance()
    {
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton<Log>().AddSingleton<Context>().AddSingleton<Policy>(),
            engine: dunlin => dunlin.AddAccessPolicy<Policy>("scoped").AddAccessPolicy<Plain>("plain").AddAccessPolicy<Plain>("plain/more")
        );
        await host.PublishAsync("scoped/1", 1);
        await host.PublishAsync("scoped/1", 2);
        Assert.Equal(1, host.Services.GetRequiredService<Log>().Made);
        var rules = host.Services.GetServices<AccessRule>().Where(rule => rule.Policy is Plain).ToList();
        Assert.Equal(2, rules.Count);
        Assert.Same(rules[0].Policy, rules[1].Policy);
    }

    [Fact]
    public async Task Each_job_attempt_and_failure_handler_has_its_own_scope()
    {
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton<Log>().AddScoped<Context>(),
            engine: dunlin => dunlin.AddJobHandler<Handler, int>("scoped")
        );
        var log = host.Services.GetRequiredService<Log>();
        await host
            .Services.GetRequiredService<IStore>()
            .WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync("scoped", 1, new JobRequest { Id = "one" }, ct));
        await log.Failed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        // Only when no attempt runs: time that passes during one ends its claim, and the job would run again.
        await host.Services.GetRequiredService<JobWorker>().WhenIdleAsync().WaitAsync(TimeSpan.FromSeconds(20));
        host.Time.Advance(new JobOptions().FirstDelay);
        await log.Done.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await host.StopAsync();
        Assert.Equal(["RunAsync", "OnFailedAsync", "RunAsync"], log.Questions);
        Assert.Equal((3, 3, 0), (log.Made, log.Disposed, log.UsedLate));
    }

    private sealed class Log
    {
        private int _made,
            _disposed,
            _usedLate;

        public ConcurrentQueue<string> Questions { get; } = [];

        public bool IsRefusing { get; set; }

        public TaskCompletionSource Failed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Made => _made;

        public int Disposed => _disposed;

        public int UsedLate => _usedLate;

        public void CountMade() => Interlocked.Increment(ref _made);

        public void CountDisposed() => Interlocked.Increment(ref _disposed);

        public void CountUsedLate() => Interlocked.Increment(ref _usedLate);
    }

    /// <summary>Simulates a DbContext: cannot be shared, and is invalid after the end of its scope.</summary>
    private sealed class Context : IAsyncDisposable
    {
        private readonly Log _log;
        private bool _isDisposed;

        public Context(Log log)
        {
            _log = log;
            log.CountMade();
        }

        public async ValueTask<bool> AskAsync([System.Runtime.CompilerServices.CallerMemberName] string question = "")
        {
            await Task.Yield();
            if (_isDisposed)
                _log.CountUsedLate();
            _log.Questions.Enqueue(question);
            return !_log.IsRefusing;
        }

        public ValueTask DisposeAsync()
        {
            _isDisposed = true;
            _log.CountDisposed();
            return default;
        }
    }

    private sealed class Policy(Context context) : IAccessPolicy, IPatternAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => context.AskAsync();

        public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) =>
            context.AskAsync();

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => context.AskAsync();

        public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
            context.AskAsync();
    }

    private sealed class Plain : IAccessPolicy;

    private sealed class Handler(Context context, Log log) : IJobHandler<int>
    {
        public async ValueTask RunAsync(JobRun<int> run, CancellationToken cancellationToken)
        {
            await context.AskAsync();
            if (run.Job.Attempt == 1)
                throw new JobFailedException("the first attempt", isFinal: false);
            log.Done.TrySetResult();
        }

        public async ValueTask OnFailedAsync(JobFailure<int> failure, CancellationToken cancellationToken)
        {
            await context.AskAsync();
            log.Failed.TrySetResult();
        }
    }
}
