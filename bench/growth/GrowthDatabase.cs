using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Security.Claims;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Relational;
using Dunlin.Replicache;
using Dunlin.RxDb;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Bench.Growth;

/// <summary>A database on a real disk, synced at each commit, and nodes on it.</summary>
internal sealed class GrowthDatabase : IAsyncDisposable
{
    public const string User = "ann";

    private readonly DirectoryInfo? _folder;
    private readonly PostgresServer? _postgres;

    private GrowthDatabase(DirectoryInfo? folder, PostgresServer? postgres) => (_folder, _postgres) = (folder, postgres);

    public bool IsPostgres => _postgres is not null;

    /// <summary>Gets the file, or the connection string.</summary>
    public string Address => _postgres?.ConnectionString ?? Path.Combine(_folder!.FullName, "growth.db");

    /// <summary>Gets the id of the first process of the PostgreSQL server; null for SQLite.</summary>
    public int? ServerProcess { get; private set; }

    public static async Task<GrowthDatabase> CreateAsync(string store, string? folder, string? setting)
    {
        if (store == "sqlite")
        {
            var path = Path.Combine(
                folder ?? Path.GetTempPath(),
                "dunlin-growth-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            );
            return new GrowthDatabase(Directory.CreateDirectory(path), null);
        }
        var database = new GrowthDatabase(
            null,
            await PostgresServer.StartNewAsync(isDurable: true, ["max_wal_size=4GB", .. setting is null ? [] : new[] { setting }])
        );
        await using var connection = await database.ConnectAsync();
        var backend = (int)(await ScalarAsync(connection, "SELECT pg_backend_pid()"))!;
        var status = await File.ReadAllTextAsync(string.Create(CultureInfo.InvariantCulture, $"/proc/{backend}/stat"));
        // The fields after the name in brackets: state, parent.
        database.ServerProcess = int.Parse(status[(status.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        return database;
    }

    /// <summary>Starts a node with HTTP. The caller stops it.</summary>
    public async Task<WebApplication> StartAsync(Action<DunlinBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddHealthChecks().AddDunlin();
        var dunlin = builder.Services.AddDunlin();
        AddStore(dunlin);
        dunlin.AddReplicache();
        dunlin
            .AddRxDb()
            .AddCollection(
                new RxCollection("things")
                {
                    KeyPrefix = "thing/",
                    ClientFields = ["text"],
                    Decide = static (_, _) => new(RxDecision.Write),
                }
            );
        builder.Services.Configure<RxDbOptions>(static options => options.MaxPullLimit = 1_000);
        builder.Services.Configure<HostingOptions>(static options => options.DrainWindow = TimeSpan.Zero);
        // Only TrimAsync calls of the measurement trim.
        builder.Services.Configure<RetentionOptions>(static options => options.TrimInterval = TimeSpan.Zero);
        builder.Services.Configure<LeaseOptions>(static options => options.RequestsPerSecond = 0);
        configure?.Invoke(dunlin);
        var app = builder.Build();
        var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", User), new Claim("name", User)], "bench"));
        app.Use(
            (context, next) =>
            {
                context.User = user;
                return next(context);
            }
        );
        app.UseDunlinProblems();
        app.MapReplicache("/replicache");
        app.MapRxDb("/rxdb");
        await app.StartAsync();
        return app;
    }

    /// <summary>Opens the store without a node.</summary>
    public async Task<ServiceProvider> OpenStoreAsync()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        var dunlin = services.AddDunlin();
        AddStore(dunlin);
        var provider = services.BuildServiceProvider();
        await ((RelationalStore)provider.GetRequiredService<IJournal>()).OpenAsync();
        return provider;
    }

    private void AddStore(DunlinBuilder dunlin)
    {
        if (_postgres is null)
            dunlin.AddSqlite(Address);
        else
            dunlin.AddPostgres(Address);
    }

    public static async Task StopAsync(WebApplication node)
    {
        await node.StopAsync();
        await node.DisposeAsync();
    }

    /// <summary>Opens a connection for statements beside the engine. On SQLite no node may run.</summary>
    public async Task<DbConnection> ConnectAsync()
    {
        DbConnection connection = _postgres is null
            ? new SqliteConnection($"Data Source={Address};Pooling=False")
            : new NpgsqlConnection(Address + ";Command Timeout=0");
        await connection.OpenAsync();
        if (_postgres is null)
            await ExecuteAsync(connection, "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000");
        return connection;
    }

    public static async Task<int> ExecuteAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteNonQueryAsync();
    }

    public static async Task<object?> ScalarAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Runs an <c>INSERT ... SELECT</c> with a number <c>n</c> from <paramref name="from"/> to <paramref name="to"/>, in
    /// transactions of 200,000 rows, and prints the progress.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="insert">The statement up to its FROM clause.</param>
    /// <param name="from">The first number.</param>
    /// <param name="to">The last number.</param>
    /// <param name="tables">Further tables of the FROM clause, each with a comma before it.</param>
    public async Task FillAsync(DbConnection connection, string insert, long from, long to, string tables = "")
    {
        const int slice = 200_000;
        var began = System.Diagnostics.Stopwatch.StartNew();
        for (var first = from; first <= to; first += slice)
        {
            var last = Math.Min(to, first + slice - 1);
            var numbers = string.Create(
                CultureInfo.InvariantCulture,
                $"(WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}) SELECT n FROM numbers) AS numbers"
            );
            if (IsPostgres)
                numbers = string.Create(CultureInfo.InvariantCulture, $"generate_series({first}::BIGINT, {last}::BIGINT) AS numbers (n)");
            await ExecuteAsync(connection, $"{insert} FROM {numbers}{tables}");
            if ((last - from + 1) % 1_000_000 == 0)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {last:N0} rows, {began.Elapsed.TotalSeconds:0} s"));
        }
    }

    /// <summary>Brings the statistics and the log of the database to the state that its own maintenance reaches after the fill.</summary>
    public Task MaintainAsync(DbConnection connection) =>
        ExecuteAsync(connection, IsPostgres ? "VACUUM ANALYZE" : "PRAGMA wal_checkpoint(TRUNCATE)");

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await _postgres.DisposeAsync();
        }
        _folder?.Delete(recursive: true);
    }
}
