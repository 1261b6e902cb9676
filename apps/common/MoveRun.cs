using System.Data.Common;
using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres;
using Dunlin.Relational;
using Dunlin.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Apps.Common;

/// <summary>The command <c>move</c>: copies an SQLite file into an empty PostgreSQL database. The file is not changed.</summary>
public static class MoveRun
{
    /// <summary>Longer than the copy of any SQLite file takes. Both stores serve nobody meanwhile.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    /// <summary>Runs the command and shows its progress.</summary>
    /// <param name="services">The services of the program, for the schemas of its tables.</param>
    /// <param name="file">The SQLite file, which no process has open.</param>
    /// <param name="connectionString">The PostgreSQL database.</param>
    /// <param name="output">Where the progress goes.</param>
    /// <returns>The number of rows moved.</returns>
    /// <exception cref="InvalidOperationException">Nothing was moved; the message says why.</exception>
    public static async Task<long> RunAsync(IServiceProvider services, string file, string connectionString, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(output);
        if (!File.Exists(file))
            throw new InvalidOperationException($"Nothing was moved: the file '{file}' does not exist.");
        var (schemas, clock) = (services.GetServices<SchemaScripts>(), services.GetRequiredService<StoreClock>());
        var retention = Options.Create(new RetentionOptions());
        await using var source = new SqliteStore(
            Options.Create(new SqliteOptions { Path = file, ReadLimit = Limit }),
            retention,
            schemas,
            new CommitFeed(),
            clock,
            services.GetRequiredService<ILogger<SqliteStore>>()
        );
        await using var target = new PostgresStore(
            Options.Create(new PostgresOptions { ConnectionString = connectionString, WriteLimit = Limit }),
            retention,
            schemas,
            new CommitFeed(),
            clock,
            services.GetRequiredService<ILogger<PostgresStore>>()
        );
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

    private static void Show(string table, long done, long total, TextWriter output)
    {
        const int width = 30;
        var filled = total == 0 ? width : (int)(done * width / total);
        var bar = new string('#', filled) + new string('.', width - filled);
        output.Write(string.Create(CultureInfo.InvariantCulture, $"\r{table, -28} [{bar}] {done}/{total}{(done == total ? "\n" : "")}"));
    }
}
