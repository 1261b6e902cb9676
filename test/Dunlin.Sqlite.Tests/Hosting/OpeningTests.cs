using System.Diagnostics.Metrics;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Sqlite.Hosting;
using Dunlin.Sqlite.Tests.Support;
using Dunlin.TestKit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Sqlite.Tests.Hosting;

public sealed class OpeningTests : IAsyncLifetime
{
    private readonly Backend _backend = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task A_second_process_on_the_file_is_refused_naming_the_holder()
    {
        await _backend.OpenAsync();
        using var child = Child.Start("open", _backend.Path);
        var output = await child.StandardOutput.ReadToEndAsync(Backend.Cancellation);
        Assert.Contains($"in use by process {Environment.ProcessId} ", output, StringComparison.Ordinal);
        await child.WaitForExitAsync(Backend.Cancellation);
        Assert.Equal(3, child.ExitCode);
    }

    [Fact]
    public async Task A_second_store_in_this_process_is_refused_until_the_first_closes()
    {
        var first = await _backend.OpenAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync());
        await first.DisposeAsync();
        await _backend.OpenAsync();
        Assert.DoesNotContain(_backend.Log.Entries, e => e.Id == 2002);
    }

    [Fact]
    public async Task A_link_to_the_file_shares_its_lock()
    {
        await _backend.OpenAsync();
        var link = _backend.Path + ".link";
        File.CreateSymbolicLink(link, _backend.Path);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync(o => o.Path = link));
    }

    [Fact]
    public async Task Concurrent_opening_opens_once()
    {
        var store = _backend.Create();
        Assert.Throws<InvalidOperationException>(() => store.Head);
        var appends = Enumerable.Range(0, 8).Select(i => store.AppendAsync(Backend.Draft("a", i)).AsTask());
        await Task.WhenAll(appends.Append(store.OpenAsync(Backend.Cancellation)));
        Assert.Equal(8, store.Head.Offset);
        Assert.Single(_backend.Log.Entries, e => e.Id == 2001);
    }

    [Theory]
    [InlineData(":memory:")]
    [InlineData("Data Source=x.db")]
    public async Task A_path_that_is_no_file_is_refused(string path) =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => _backend.OpenAsync(o => o.Path = path));

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_and_unchanged()
    {
        var rubbish = string.Concat(Enumerable.Repeat("not a database. ", 500));
        await File.WriteAllTextAsync(_backend.Path, rubbish, Backend.Cancellation);
        await Assert.ThrowsAsync<SqliteException>(() => _backend.OpenAsync());
        Assert.Equal(rubbish, await File.ReadAllTextAsync(_backend.Path, Backend.Cancellation));
    }

    [Theory]
    [InlineData("/srv/db/x.db", null)]
    [InlineData("/mnt/nfs/x.db", "nfs4")]
    [InlineData("/mnt/nfs2/x.db", null)]
    [InlineData("/mnt/nfs/local/x.db", null)]
    [InlineData("/mnt/a b/x.db", "cifs")]
    [InlineData("/host/x.db", "9p")]
    public void A_network_file_system_is_recognised_by_its_mount(string path, string? type)
    {
        string[] mounts =
        [
            "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
            "40 22 0:40 / /mnt/nfs rw shared:2 master:3 - nfs4 server:/export rw",
            "41 40 254:2 / /mnt/nfs/local rw - xfs /dev/vdb rw",
            "42 22 0:41 / /mnt/a\\040b rw - cifs //server/share rw",
            "43 22 254:3 / /host rw - ext4 /dev/vdc rw",
            "44 22 0:42 / /host rw - 9p hostshare rw",
            "broken line",
        ];
        Assert.Equal(type, NetworkFileSystem.TypeOf(path, mounts));
    }

    [Fact]
    public async Task Host_opens_the_store_first_and_closes_it_last()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHostedService<Writing>();
        new DunlinBuilder(builder.Services).AddSqlite(_backend.Path);
        using (var host = builder.Build())
        {
            await host.StartAsync(Backend.Cancellation);
            Assert.Same(host.Services.GetRequiredService<IJournal>(), host.Services.GetRequiredService<IStore>());
            Assert.Null(host.Services.GetRequiredService<IStoreHealth>().Fault);
            Assert.Null(await host.Services.GetRequiredService<IAccountStore>().FindByIdAsync("x", Backend.Cancellation));
            Assert.Empty(await host.Services.GetRequiredService<ISessionStore>().ListAsync(DateTimeOffset.UnixEpoch, Backend.Cancellation));
            await host.StopAsync(Backend.Cancellation);
            await ((IAsyncDisposable)host).DisposeAsync();
        }
        Assert.False(File.Exists(_backend.Path + "-open"));
        Assert.Equal(2, (await _backend.OpenAsync()).Head.Offset);
    }

    [Theory]
    [InlineData("Path", "")]
    [InlineData("MaxReaders", "0")]
    [InlineData("WriteLimit", "00:00:00")]
    [InlineData("MaxFileBytes", "10")]
    public async Task An_invalid_option_stops_the_host_and_is_named(string option, string value)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        new DunlinBuilder(builder.Services).AddSqlite(options =>
        {
            options.Path = _backend.Path;
            var property = typeof(SqliteOptions).GetProperty(option)!;
            property.SetValue(
                options,
                System.ComponentModel.TypeDescriptor.GetConverter(property.PropertyType).ConvertFromInvariantString(value)
            );
        });
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Backend.Cancellation));
        Assert.Contains(option, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_back_end_is_refused()
    {
        var builder = new DunlinBuilder(new ServiceCollection()).AddSqlite(_backend.Path);
        Assert.Throws<InvalidOperationException>(() => builder.AddInMemory());
    }

    [Fact]
    public async Task Appends_and_batches_are_measured()
    {
        var seen = new HashSet<string>();
        using var meters = new TestMeters();
        await using var backend = new Backend { Meters = meters };
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == DunlinMeters.Journal && ReferenceEquals(instrument.Meter.Scope, meters))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => Add(instrument.Name));
        listener.SetMeasurementEventCallback<int>((instrument, _, _, _) => Add(instrument.Name));
        listener.Start();
        var store = await backend.OpenAsync();
        await store.AppendAsync(Backend.Draft("a"));
        listener.RecordObservableInstruments();
        lock (seen)
            Assert.Equal(
                [
                    "dunlin.journal.append.duration",
                    "dunlin.journal.batch.events",
                    "dunlin.journal.batch.requests",
                    "dunlin.journal.queue.length",
                ],
                seen.Order()
            );

        void Add(string name)
        {
            lock (seen)
                seen.Add(name);
        }
    }

    /// <summary>Writes at its start and at its stop.</summary>
    private sealed class Writing(IJournal journal) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken) =>
            await journal.AppendAsync(Backend.Draft("a"), cancellationToken);

        public async Task StopAsync(CancellationToken cancellationToken) =>
            await journal.AppendAsync(Backend.Draft("a"), cancellationToken);
    }
}
