using Dunlin.Hosting;

namespace Dunlin.Apps.Common;

/// <summary>The store that a program's options choose: SQLite in the data folder, or PostgreSQL, and then Redis between the nodes.</summary>
public static class ChosenStore
{
    /// <summary>Adds it.</summary>
    /// <param name="dunlin">The builder.</param>
    /// <param name="data">The data folder.</param>
    /// <param name="store">A PostgreSQL connection string; null for SQLite.</param>
    /// <param name="redis"><c>host:port</c>; null for none.</param>
    /// <exception cref="InvalidOperationException">Redis without PostgreSQL.</exception>
    public static DunlinBuilder AddChosenStore(this DunlinBuilder dunlin, string data, string? store, string? redis)
    {
        if (store is null)
        {
            if (redis is not null)
                throw new InvalidOperationException("--redis connects several nodes, and these need one store: give --store as well.");
            return dunlin.AddSqlite(Path.Combine(data, "dunlin.db"));
        }
        dunlin.AddPostgres(options =>
        {
            options.ConnectionString = store;
            // What Redis brings itself need not be read again for the notification that comes with it.
            options.WakeDelay = redis is null ? TimeSpan.Zero : TimeSpan.FromMilliseconds(20);
        });
        return redis is null ? dunlin : dunlin.AddRedisBackplane(redis);
    }
}
