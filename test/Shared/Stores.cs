using Dunlin.Hosting;
using Dunlin.Postgres;
using Dunlin.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.TestKit;

/// <summary>Creates stores outside of a host. The caller disposes the store, which is all that its container holds open.</summary>
internal static class Stores
{
    public static SqliteStore Sqlite(string file, params SchemaScripts[] schemas) =>
        Create<SqliteStore>(schemas, dunlin => dunlin.AddSqlite(file));

    public static PostgresStore Postgres(string connectionString, params SchemaScripts[] schemas) =>
        Create<PostgresStore>(schemas, dunlin => dunlin.AddPostgres(connectionString));

    private static TStore Create<TStore>(SchemaScripts[] schemas, Action<DunlinBuilder> use)
        where TStore : notnull
    {
        var services = new ServiceCollection();
        foreach (var schema in schemas)
            services.AddSingleton(schema);
        use(services.AddDunlin());
        return services.BuildServiceProvider().GetRequiredService<TStore>();
    }
}
