using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Relational.Schema;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres;

public sealed partial class PostgresStore
{
    /// <summary>The oldest supported major version of PostgreSQL.</summary>
    private const int MinVersion = 14;

    private static readonly SqlText FindSchema = new("find_schema");

    private protected override async Task OpenNowAsync(CancellationToken cancellationToken)
    {
        var began = NodeClock.TimeProvider.GetTimestamp();
        var database = CreateDatabase();
        try
        {
            string schema;
            await WaitForAsync(database, cancellationToken);
            await using (var connection = await database.OpenConnectionAsync(cancellationToken))
            {
                await new Migrator(new PostgresSession(connection), Dialect, _logger).RunAsync(Schemas, cancellationToken);
                // Reloads the types, so that later connections recognise types that the scripts have added, such as domains.
                await connection.ReloadTypesAsync(cancellationToken);
                schema = await FindSchemaAsync(connection, cancellationToken);
                if (_options.SqlSchema is { } functions)
                    await SqlFunctions.InstallAsync(connection, functions, cancellationToken);
                _head.Open((await FindHeadAsync(connection, cancellationToken)).Position);
            }
            var settings = new WriterSettings(Clock, _options.WriteLimit, _options.Patience, NodeClock.TimeProvider);
            var writer = new Writer(database, settings, _head, Feed, Instruments, _logger);
            LogOpened(_head.Position.Offset, NodeClock.TimeProvider.GetElapsedTime(began).TotalMilliseconds);
            _open = new OpenDatabase(database, writer, new HeadWatcher(this, database, writer, _logger), schema);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    private protected override async Task CloseNowAsync()
    {
        await _open!.Watcher.DisposeAsync();
        await _open.Writer.DisposeAsync();
        await _open.Database.DisposeAsync();
        LogClosed(_head.Position.Offset);
        _head.Dispose();
    }

    private protected override void ThrowIfFaulted() => _head.ThrowIfFaulted();

    /// <summary>Returns the name of the schema as an identifier in statements.</summary>
    private static async Task<string> FindSchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = connection.Command(FindSchema);
        return SqlFunctions.Quote((string)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    private NpgsqlDataSource CreateDatabase()
    {
        var builder = new NpgsqlDataSourceBuilder(_options.ConnectionString);
        var text = builder.ConnectionStringBuilder;
        text.ApplicationName ??= "dunlin";
        // Detects a lost server within seconds, even on an idle connection.
        text.TcpKeepAlive = true;
        text.TcpKeepAliveTime = 5;
        text.TcpKeepAliveInterval = 2;
        if (_options.ThroughPooler)
        {
            (text.MaxAutoPrepare, text.NoResetOnClose) = (0, true);
        }
        else if (text.MaxAutoPrepare == 0)
        {
            (text.MaxAutoPrepare, text.AutoPrepareMinUsages) = (100, 3);
        }
        return builder.Build();
    }

    /// <summary>Waits for a database that starts together with this node, as long as a write would wait.</summary>
    private async Task WaitForAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var began = NodeClock.TimeProvider.GetTimestamp();
        for (var delay = TimeSpan.FromMilliseconds(50); ; delay = delay < TimeSpan.FromSeconds(1) ? 2 * delay : delay)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                if (connection.PostgreSqlVersion.Major < MinVersion)
                    throw new InvalidOperationException(
                        $"PostgreSQL {connection.PostgreSqlVersion} is not supported. Use version {MinVersion} or later."
                    );
                LogVersion(connection.PostgreSqlVersion.ToString());
                return;
            }
            catch (Exception exception)
                when (PostgresFaults.IsLost(exception) && NodeClock.TimeProvider.GetElapsedTime(began) < _options.Patience)
            {
                await Task.Delay(delay, NodeClock.TimeProvider, cancellationToken);
            }
            catch (NpgsqlException exception)
            {
                throw new InvalidOperationException(
                    $"The PostgreSQL database cannot be opened: {exception.Message} Check the connection string.",
                    exception
                );
            }
        }
    }

    [LoggerMessage(2100, LogLevel.Information, "Connected to PostgreSQL {Version}.")]
    private partial void LogVersion(string version);

    [LoggerMessage(2101, LogLevel.Information, "Opened the journal at offset {Head} in {Milliseconds:0} ms.")]
    private partial void LogOpened(long head, double milliseconds);

    [LoggerMessage(2102, LogLevel.Information, "Closed the journal at offset {Head}.")]
    private partial void LogClosed(long head);

    private sealed record OpenDatabase(NpgsqlDataSource Database, Writer Writer, HeadWatcher Watcher, string Schema);
}
