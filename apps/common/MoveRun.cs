using System.Data.Common;
using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Postgres;
using Dunlin.Relational;
using Dunlin.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Common;

/// <summary>The command <c>move</c>: copies an SQLite file into an empty PostgreSQL database. It does not change the file.</summary>
public static class MoveRun
{
    /// <summary>Upper bound for the copy of any SQLite file. No server uses either store during the copy.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    /// <summary>Runs the command and writes its progress.</summary>
    /// <param name="services">The services of the program, for the schemas of its tables.</param>
    /// <param name="file">The SQLite file. No process may have it open.</param>
    /// <param name="connectionString">The PostgreSQL database.</param>
    /// <param name="output">Receives the progress.</param>
    /// <returns>The number of copied rows.</returns>
    /// <exception cref="InvalidOperationException">Nothing was copied; the message names the reason.</exception>
    public static async Task<long> RunAsync(IServiceProvider services, string file, string connectionString, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(output);
        if (!File.Exists(file))
            throw new InvalidOperationException($"Nothing was moved: the file '{file}' does not exist.");
        var schemas = services.GetServices<SchemaScripts>();
        await using var from = Stores(
            schemas,
            dunlin =>
                dunlin.AddSqlite(options =>
                {
                    options.Path = file;
                    options.ReadLimit = Limit;
                })
        );
        await using var to = Stores(
            schemas,
            dunlin =>
                dunlin.AddPostgres(options =>
                {
                    options.ConnectionString = connectionString;
                    options.WriteLimit = Limit;
                })
        );
        var (source, target) = (from.GetRequiredService<SqliteStore>(), to.GetRequiredService<PostgresStore>());
        try
        {
            var rows = await StoreMove.RunAsync(source, target, (table, done, total) => Show(table, done, total, output));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Moved {rows} rows."));
            return rows;
        }
        catch (Exception fault) when (fault is InvalidOperationException or DunlinException or DbException)
        {
            throw new InvalidOperationException($"Nothing was moved: {fault.Message}", fault.InnerException);
        }
    }

    // Each store in a container of its own: the one of the program holds the store that it serves.
    private static ServiceProvider Stores(IEnumerable<SchemaScripts> schemas, Action<DunlinBuilder> use)
    {
        var services = new ServiceCollection();
        foreach (var schema in schemas)
            services.AddSingleton(schema);
        use(services.AddDunlin());
        return services.BuildServiceProvider();
    }

    private static void Show(string table, long done, long total, TextWriter output)
    {
        const int width = 30;
        var filled = total == 0 ? width : (int)(done * width / total);
        var bar = new string('#', filled) + new string('.', width - filled);
        output.Write(string.Create(CultureInfo.InvariantCulture, $"\r{table, -28} [{bar}] {done}/{total}{(done == total ? "\n" : "")}"));
    }
}
