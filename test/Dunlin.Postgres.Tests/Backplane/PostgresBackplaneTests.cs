using Dunlin.Backplane;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Tests.Support;
using Dunlin.TestKit.Conformance;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Postgres.Tests.Backplane;

public sealed class PostgresBackplaneTests() : PostgresBackplaneConformance(throughPooler: false);

public sealed class PooledPostgresBackplaneTests() : PostgresBackplaneConformance(throughPooler: true);

public abstract class PostgresBackplaneConformance(bool throughPooler) : BackplaneConformance
{
    private readonly List<PostgresBackplane> _backplanes = [];
    private Support.Backend? _backend;

    protected override bool CarriesHints => false;

    internal override async ValueTask<IBackplane> ConnectAsync(IBackplaneNode node)
    {
        _backend ??= await Backend.NewAsync();
        var store = await _backend.OpenAsync(options =>
            (options.ThroughPooler, options.PollInterval) = (throughPooler, TimeSpan.FromMilliseconds(20))
        );
        var backplane = new PostgresBackplane(store, NullLogger<PostgresBackplane>.Instance);
        _backplanes.Add(backplane);
        backplane.Attach(node);
        await backplane.StartAsync(Cancellation);
        await backplane.Listening.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        return backplane;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var backplane in _backplanes)
        {
            await backplane.StopAsync(default);
        }
        if (_backend is not null)
            await _backend.DisposeAsync();
    }
}
