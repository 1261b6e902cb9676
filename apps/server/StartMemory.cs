using System.Runtime.CompilerServices;

namespace Dunlin.Server;

/// <summary>Returns the memory that only the start needed, once, one second after the start.</summary>
/// <remarks>
/// An idle server allocates too little for a collection of its own, so it would keep that memory. Only the native program does this: in a
/// portable build the compiler needs far more memory than the start leaves behind.
/// </remarks>
internal sealed class StartMemory(IHostApplicationLifetime lifetime, TimeProvider time) : IHostedService, IDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    private ITimer? _timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            lifetime.ApplicationStarted.Register(() =>
                _timer = time.CreateTimer(static _ => Return(), null, Delay, Timeout.InfiniteTimeSpan)
            );
        return Task.CompletedTask;
    }

    private static void Return()
    {
        // The list makes garbage, and the collection reads pages.
        var pages = ProgramPages.Find();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ProgramPages.Release(pages);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _timer?.Dispose();
}
