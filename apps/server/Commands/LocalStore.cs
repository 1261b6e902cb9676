using System.CommandLine;
using Dunlin.Apps.Common;
using Dunlin.Postgres;
using Dunlin.Relational;
using Dunlin.Sqlite;

namespace Dunlin.Server.Commands;

/// <summary>The store that the options select, opened by a command instead of a server.</summary>
internal sealed class LocalStore : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private LocalStore(ServiceProvider services, RelationalStore store) => (_services, Store) = (services, store);

    public RelationalStore Store { get; }

    /// <summary>Returns the settings that the options and the configuration give.</summary>
    public static async Task<ServerSettings> SettingsAsync(ParseResult given)
    {
        await using var app = CommandLine.BuildSilently(given);
        return app.Services.GetRequiredService<ServerSettings>();
    }

    /// <summary>Returns the SQLite file of the settings.</summary>
    public static string FileOf(ServerSettings settings) => Path.Combine(settings.Data, "dunlin.db");

    /// <summary>Creates the store, which opens at its first use.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="mustExist">Whether a missing SQLite file is an error instead of a new database.</param>
    public static LocalStore Create(ServerSettings settings, bool mustExist)
    {
        if (mustExist && settings.Store is null && !File.Exists(FileOf(settings)))
            throw CommandFault.Failed(
                $"There is no database '{FileOf(settings)}'. Name its folder with --data, or a database with --store."
            );
        if (settings.Store is null)
            settings.MakeFolder();
        var services = new ServiceCollection();
        services.AddDunlin().AddChosenStore(settings.Data, settings.Store, redis: null);
        var provider = services.BuildServiceProvider();
        RelationalStore store = settings.Store is null
            ? provider.GetRequiredService<SqliteStore>()
            : provider.GetRequiredService<PostgresStore>();
        return new LocalStore(provider, store);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
