using Dunlin.Accounts;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Accounts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Postgres.Tests.Hosting;

public sealed class OpeningTests : IAsyncLifetime
{
    private Backend _backend = null!;

    public async ValueTask InitializeAsync() => _backend = await Backend.NewAsync();

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task Host_opens_the_store_first_and_closes_it_last()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHostedService<Writing>();
        builder.Services.AddDunlinCore().AddPostgres(_backend.ConnectionString);
        using (var host = builder.Build())
        {
            await host.StartAsync(Backend.Cancellation);
            Assert.Same(host.Services.GetRequiredService<IJournal>(), host.Services.GetRequiredService<IStore>());
            Assert.Null(host.Services.GetRequiredService<IStoreHealth>().Fault);
            Assert.Null(await host.Services.GetRequiredService<IAccountStore>().FindByIdAsync("x", Backend.Cancellation));
            Assert.Empty(await host.Services.GetRequiredService<ISessionStore>().ListAsync(DateTimeOffset.UnixEpoch, Backend.Cancellation));
            Assert.IsType<TicketStore>(host.Services.GetRequiredService<ITicketStore>());
            await host.StopAsync(Backend.Cancellation);
            await ((IAsyncDisposable)host).DisposeAsync();
        }
        Assert.Equal(2, (await _backend.OpenAsync()).Head.Offset);
    }

    [Fact]
    public async Task The_epoch_belongs_to_the_database()
    {
        var first = (await _backend.OpenAsync()).Head.Epoch;
        Assert.Equal(first, (await _backend.OpenAsync()).Head.Epoch);
        await using var other = await Backend.NewAsync();
        Assert.NotEqual(first, (await other.OpenAsync()).Head.Epoch);
    }

    [Fact]
    public async Task An_unreachable_database_stops_the_opening_with_a_clear_error()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _backend.OpenAsync(options =>
            {
                options.ConnectionString = $"Host=127.0.0.1;Port={TestKit.Servers.ServerProcess.FreePort()};Username=postgres;Timeout=1";
                options.Patience = TimeSpan.FromMilliseconds(100);
            })
        );
        Assert.Contains("cannot be opened", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ConnectionString", "")]
    [InlineData("WriteLimit", "00:00:00")]
    [InlineData("PollInterval", "00:00:00")]
    public async Task An_invalid_option_stops_the_host_and_is_named(string option, string value)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDunlinCore().AddPostgres(_backend.ConnectionString);
        builder.Services.Configure<PostgresOptions>(options =>
        {
            var property = typeof(PostgresOptions).GetProperty(option)!;
            property.SetValue(
                options,
                property.PropertyType == typeof(string) ? value : TimeSpan.Parse(value, System.Globalization.CultureInfo.InvariantCulture)
            );
        });
        using var host = builder.Build();
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Backend.Cancellation));
        Assert.Contains(option, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_store_is_refused()
    {
        var builder = new ServiceCollection().AddDunlinCore().AddPostgres("Host=x");
        Assert.Throws<InvalidOperationException>(() => builder.AddInMemory());
    }

    private sealed class Writing(IJournal journal) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken) =>
            await journal.AppendAsync(Backend.Draft("a"), cancellationToken);

        public async Task StopAsync(CancellationToken cancellationToken) =>
            await journal.AppendAsync(Backend.Draft("a"), cancellationToken);
    }
}
