using System.Collections.ObjectModel;
using System.Diagnostics;
using Dunlin.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>All spans of this process that have ended, by the SDK of OpenTelemetry and its exporter in memory. Tests that run at the same
/// time are in it too.</summary>
internal sealed class SpanLog : Collection<Activity>, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new(); // guards the collection and _added
    private readonly TracerProvider _provider;
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SpanLog() =>
        _provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(DunlinActivities.Name)
            .AddAspNetCoreInstrumentation()
            .AddInMemoryExporter(this)
            .Build();

    /// <summary>Waits until so many spans match.</summary>
    public async Task<IReadOnlyList<Activity>> WhenAsync(int count, Func<Activity, bool> matches)
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        while (true)
        {
            Task added;
            lock (_gate)
            {
                var found = this.Where(matches).ToList();
                if (found.Count >= count)
                    return found;
                added = _added.Task;
            }
            await added.WaitAsync(patience.Token);
        }
    }

    /// <summary>The spans that match now.</summary>
    public IReadOnlyList<Activity> Find(Func<Activity, bool> matches)
    {
        lock (_gate)
            return [.. this.Where(matches)];
    }

    public void Dispose() => _provider.Dispose();

    protected override void InsertItem(int index, Activity item)
    {
        lock (_gate)
        {
            base.InsertItem(Count, item);
            _added.TrySetResult();
            _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
