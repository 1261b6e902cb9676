using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.EntityFrameworkCore.Tests.Support;

/// <summary>A host with a store and contexts, on real time and in a folder of its own.</summary>
public sealed class Shop : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly DirectoryInfo? _folder;
    private readonly List<AsyncServiceScope> _scopes = [];

    private readonly ManualTime? _time;

    private Shop(IHost host, DirectoryInfo? folder, ManualTime? time) => (_host, _folder, _time) = (host, folder, time);

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public IServiceProvider Services => _host.Services;

    public IStore Store => Services.GetRequiredService<IStore>();

    public IJournal Journal => Services.GetRequiredService<IJournal>();

    public IOutbox Outbox => Services.GetRequiredService<IOutbox>();

    public static async Task<Shop> StartAsync(
        Action<DbContextOptionsBuilder>? context = null,
        bool isPooled = false,
        bool isCreated = true,
        string? connectionString = null,
        string? folder = null,
        ManualTime? time = null
    )
    {
        var own = folder is null ? Directory.CreateTempSubdirectory("dunlin-ef-") : null;
        folder ??= own!.FullName;
        connectionString ??= TestStore.ConnectionString(folder);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(new TestLog()).SetMinimumLevel(LogLevel.Warning);
        builder.Services.Configure<HostingOptions>(static options => options.DrainWindow = TimeSpan.Zero);
        if (time is not null)
            builder.Services.AddSingleton<TimeProvider>(time);
        var dunlin = builder.Services.AddDunlin();
        if (connectionString is null)
            dunlin.AddSqlite(Path.Combine(folder, "shop.db"));
        else
            dunlin.AddPostgres(connectionString);
        void Configure(DbContextOptionsBuilder options)
        {
            Use(options, connectionString, folder);
            context?.Invoke(options);
        }
        builder.Services.AddDbContext<OtherDb>(Configure);
        if (isPooled)
            builder.Services.AddDbContextPool<ShopDb>(Configure, poolSize: 1);
        else
            builder.Services.AddDbContext<ShopDb>(Configure);
        dunlin.UseEntityFramework<ShopDb>().UseEntityFramework<OtherDb>();
        var shop = new Shop(builder.Build(), own, time);
        await shop._host.StartAsync(Cancellation);
        if (isCreated)
            await shop.Db<ShopDb>().GetService<IRelationalDatabaseCreator>().CreateTablesAsync(Cancellation);
        return shop;
    }

    public static void Use(DbContextOptionsBuilder options, string? connectionString, string folder)
    {
        if (connectionString is null)
            options.UseSqlite($"Data Source={Path.Combine(folder, "shop.db")}");
        else
            options.UseNpgsql(connectionString);
    }

    /// <summary>Returns a context of a new scope.</summary>
    public T Db<T>()
        where T : DbContext
    {
        var scope = Services.CreateAsyncScope();
        _scopes.Add(scope);
        return scope.ServiceProvider.GetRequiredService<T>();
    }

    public ShopDb Db() => Db<ShopDb>();

    /// <summary>Returns a context that the caller disposes. May be called by several threads.</summary>
    public ShopDb New() => new(Services.GetRequiredService<DbContextOptions<ShopDb>>());

    /// <summary>Returns the events of all committed transactions, as topic and type, without those of leases.</summary>
    public async Task<List<string>> EventsAsync()
    {
        await Outbox.FlushAsync(Cancellation);
        var events = new List<string>();
        var after = 0L;
        while (true)
        {
            var page = await Journal.ReadAsync(new JournalQuery(after, null, 100), Cancellation);
            events.AddRange(
                page.Events.Where(e => !e.Type.StartsWith("lease.", StringComparison.Ordinal)).Select(e => $"{e.Topic.Value} {e.Type}")
            );
            if (!page.HasMore)
                return events;
            after = page.Through;
        }
    }

    /// <summary>Returns the orders as another context reads them.</summary>
    public async Task<List<string>> OrdersAsync() =>
        await Db().Orders.AsNoTracking().Select(order => order.Id).OrderBy(id => id).ToListAsync(Cancellation);

    public static TopicName Topic(string name) => TopicName.Parse(name);

    /// <summary>Saves in one of the two ways.</summary>
    public static Task<int> SaveAsync(DbContext db, bool isAsync) =>
        isAsync ? db.SaveChangesAsync(Cancellation) : Task.FromResult(db.SaveChanges());

    /// <summary>Waits for a task while time advances.</summary>
    public async Task AdvanceUntilAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            _time?.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var scope in _scopes)
            await scope.DisposeAsync();
        var stopping = _host.StopAsync(CancellationToken.None);
        if (_time is not null)
            await AdvanceUntilAsync(stopping);
        await stopping;
        if (_host is IAsyncDisposable host)
            await host.DisposeAsync();
        SqliteConnection.ClearAllPools();
        NpgsqlConnection.ClearAllPools();
        _folder?.Delete(recursive: true);
    }
}
