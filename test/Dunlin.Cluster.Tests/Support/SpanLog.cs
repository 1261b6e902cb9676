using System.Collections.ObjectModel;
using System.Diagnostics;
using Dunlin.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Dunlin.Cluster.Tests.Support;

/// <summary>
/// All ended spans of this process, from the OpenTelemetry SDK with an in-memory exporter. Contains spans of concurrent tests too.
/// </summary>
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

    /// <summary>Waits for this number of matching spans.</summary>
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
