using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Dunlin.Backplane;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Scheduling;
using Dunlin.Simulation.Clients;
using Dunlin.Simulation.Network;
using Dunlin.Simulation.Scheduling;
using Dunlin.Simulation.Storage;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Simulation.Nodes;

/// <summary>One process: a container with the whole engine, on its own scheduler. A restart is a new node on the same database.</summary>
internal sealed class SimNode
{
    private readonly TaskCompletionSource _died = new();
    private readonly SimLifetime _lifetime = new();
    private readonly ServiceProvider _services;
    private BackgroundLoop? _watcher;

    public SimNode(SimCluster cluster, int id)
    {
        Cluster = cluster;
        Scheduler = new SimScheduler(cluster.World, id, $"node {id}");
        Backplane = new SimBackplane(this);
        _services = Build();
    }

    public SimCluster Cluster { get; }

    public SimWorld World => Cluster.World;

    public SimScheduler Scheduler { get; }

    public SimBackplane Backplane { get; }

    public string Name => Scheduler.Name;

    public bool IsDead => Scheduler.IsDead;

    public bool IsReady { get; private set; }

    public bool IsPartitioned { get; set; }

    /// <summary>Gets a task that completes when the process has crashed.</summary>
    public Task Died => _died.Task;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public Task DelayAsync() => World.DelayAsync(World.Upto(Cluster.Faults.MaxDelay));

    public void Trace([InterpolatedStringHandlerArgument("")] TraceLine line) => World.Trace.AddText(World.Time, Name, line.Text);

    /// <summary>Opens the store and starts the services in their order, as a host does. A failed start ends the process.</summary>
    public async Task StartAsync()
    {
        try
        {
            var store = Get<SimStore>();
            while (true)
            {
                try
                {
                    await store.ObserveAsync();
                    break;
                }
                catch (Diagnostics.DunlinException)
                {
                    await World.DelayAsync(TimeSpan.FromMilliseconds(200));
                }
            }
            _watcher = BackgroundLoop.Periodic(
                "head",
                static () => TimeSpan.FromSeconds(1),
                _ => Cluster.Sabotage == Faults.Sabotage.NoNotificationsAndNoPoll ? Task.CompletedTask : store.ObserveAsync(),
                World.Time,
                NullLogger.Instance
            );
            _watcher.Start();
            foreach (var service in _services.GetServices<IHostedService>())
                await service.StartAsync(CancellationToken.None);
            IsReady = true;
            Trace($"is ready at {Get<EventFanout>().DeliveredHead.Offset}");
        }
        catch (Diagnostics.DunlinException error)
        {
            Trace($"fails to start: {error.Message}");
            Cluster.Crash(this);
        }
    }

    /// <summary>Announces the end, as a host that stops does: the node closes its streams and takes no further request.</summary>
    public void Drain()
    {
        IsReady = false;
        Scheduler.Post(_lifetime.StopApplication);
    }

    /// <summary>Ends the process between two steps. Nothing of it runs any more.</summary>
    public void Kill()
    {
        IsReady = false;
        Scheduler.Kill();
        // The runtime keeps all meters of the process until they are disposed.
        (_services.GetService<IMeterFactory>() as IDisposable)?.Dispose();
        _died.TrySetResult();
    }

    /// <summary>Sends a request to the node and waits for its reply. Either may be lost with the node.</summary>
    /// <exception cref="RequestLostException">The outcome is unknown: the node died, or did not reply in time.</exception>
    public async Task<T> CallAsync<T>(Func<Task<T>> work, TimeSpan? limit = null)
    {
        await DelayAsync();
        if (!IsReady)
            throw new RequestLostException();
        var reply = Scheduler.Start(work);
        await Task.WhenAny(reply, _died.Task, World.DelayAsync(limit ?? TimeSpan.FromSeconds(20)));
        if (!reply.IsCompleted)
            throw new RequestLostException();
        await DelayAsync();
        return await reply;
    }

    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(World.Time);
        services.AddSingleton<IHostApplicationLifetime>(_lifetime);
        services.AddSingleton<ILoggerFactory>(World.Trace.IsOn ? new SimLog(this) : NullLoggerFactory.Instance);
        services.AddSingleton<IBackplane>(Backplane);
        services.AddSingleton(this);
        var builder = services.AddDunlinCore();
        builder.AddStoreBasics().AddSharedStore();
        services.AddSingleton<SimStore>();
        services.AddSingleton<IJournal>(provider => provider.GetRequiredService<SimStore>());
        services.AddSingleton<IStore>(provider => provider.GetRequiredService<SimStore>());
        services.AddSingleton<SimPolicy>();
        builder.AddAccessPolicy<SimPolicy>("");
        services.AddSingleton<SimJobHandler>();
        builder.AddJobHandler<SimJobHandler, string>(
            SimJobs.Type,
            static options =>
            {
                options.MaxAttempts = 1_000;
                options.MaxDelay = TimeSpan.FromSeconds(5);
                options.LeaseDuration = TimeSpan.FromSeconds(6);
            }
        );
        services.Configure<FanoutOptions>(static options =>
        {
            (options.MaxPendingBytes, options.TailEvents, options.Shards) = (1_024, 64, 2);
            options.WriteTimeout = TimeSpan.FromSeconds(8);
        });
        services.Configure<LeaseOptions>(static options =>
            (options.DisconnectGrace, options.WaitTimeout) = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(15))
        );
        if (Cluster.Faults.Trims)
        {
            services.Configure<RetentionOptions>(static options =>
            {
                options.Default = new RetentionRule { MaxCount = 8 };
                options.TrimInterval = TimeSpan.FromSeconds(7);
            });
        }
        else
        {
            services.Configure<RetentionOptions>(static options => options.TrimInterval = TimeSpan.Zero);
        }
        return services.BuildServiceProvider();
    }

    private sealed class SimLifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }
}

/// <summary>A request whose outcome the client does not know.</summary>
internal sealed class RequestLostException() : Exception("The node gave no reply.");
