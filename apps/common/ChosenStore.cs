using Dunlin.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Common;

/// <summary>
/// Registers the store that a program's options select: SQLite in the data folder, or PostgreSQL with an optional Redis backplane.
/// </summary>
public static class ChosenStore
{
    /// <summary>Adds the selected store.</summary>
    /// <param name="dunlin">The builder.</param>
    /// <param name="data">The data folder.</param>
    /// <param name="store">A PostgreSQL connection string; null for SQLite.</param>
    /// <param name="redis"><c>host:port</c>; null for none.</param>
    /// <exception cref="InvalidOperationException"><paramref name="redis"/> is set without <paramref name="store"/>.</exception>
    public static DunlinBuilder AddChosenStore(this DunlinBuilder dunlin, string data, string? store, string? redis)
    {
        if (store is null)
        {
            if (redis is not null)
                throw new InvalidOperationException("--redis needs --store: nodes that share Redis must share a PostgreSQL store.");
            return dunlin.AddSqlite(Path.Combine(data, "dunlin.db"));
        }
        dunlin.AddPostgres(store);
        return redis is null ? dunlin : dunlin.AddRedisBackplane(redis);
    }
}
