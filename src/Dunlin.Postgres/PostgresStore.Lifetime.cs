using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Journal;
using Dunlin.Postgres.Schema;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres;

public sealed partial class PostgresStore
{
    /// <summary>The first version of PostgreSQL with everything that is used.</summary>
    private const int MinVersion = 14;

    /// <summary>Opens the database: brings the schema up to date and starts the writer. Opening again changes nothing.</summary>
    /// <exception cref="InvalidOperationException">The database cannot be used; the message says why and what to do.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken = default)
    {
        if (_open is not null)
            return;
        await _lifetime.WaitAsync(cancellationToken);
        try
        {
            if (_isDisposed)
                throw PostgresFaults.Unavailable("The store is closed.");
            _open ??= await OpenNowAsync(cancellationToken);
        }
        finally
        {
            _lifetime.Release();
        }
    }

    /// <summary>Finishes the writes that are queued, refuses new ones, and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _lifetime.WaitAsync();
        try
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            if (_open is { } open)
            {
                await open.Watcher.DisposeAsync();
                await open.Writer.DisposeAsync();
                await open.Database.DisposeAsync();
                LogClosed(_head.Position.Offset);
            }
            _instruments.Dispose();
            _head.Dispose();
        }
        finally
        {
            _lifetime.Release();
        }
    }

    private async ValueTask<OpenDatabase> OpenedAsync(CancellationToken cancellationToken)
    {
        if (_open is null)
            await OpenAsync(cancellationToken);
        _head.ThrowIfFaulted();
        return _isDisposed ? throw PostgresFaults.Unavailable("The store is closed.") : _open!;
    }

    private async Task<OpenDatabase> OpenNowAsync(CancellationToken cancellationToken)
    {
        var began = _clock.TimeProvider.GetTimestamp();
        var database = CreateDatabase();
        try
        {
            await WaitForAsync(database, cancellationToken);
            await new Migrator(database, _logger).RunAsync(_schemas, cancellationToken);
            await using (var connection = await database.OpenConnectionAsync(cancellationToken))
                _head.Open((await FindHeadAsync(connection, cancellationToken)).Position);
            var settings = new WriterSettings(Clock, _options.WriteLimit, _options.Patience, _clock.TimeProvider);
            var writer = new Writer(database, settings, _head, _feed, _instruments, _logger);
            LogOpened(_head.Position.Offset, _clock.TimeProvider.GetElapsedTime(began).TotalMilliseconds);
            return new OpenDatabase(database, writer, new HeadWatcher(this, database, writer, _logger));
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    private NpgsqlDataSource CreateDatabase()
    {
        var builder = new NpgsqlDataSourceBuilder(_options.ConnectionString);
        var text = builder.ConnectionStringBuilder;
        text.ApplicationName ??= "dunlin";
        // Found out within seconds that the other side is gone, also where nothing is being sent.
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

    /// <summary>A database that starts together with this node is waited for, as long as writes would be.</summary>
    private async Task WaitForAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var began = _clock.TimeProvider.GetTimestamp();
        for (var delay = TimeSpan.FromMilliseconds(50); ; delay = delay < TimeSpan.FromSeconds(1) ? 2 * delay : delay)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                if (connection.PostgreSqlVersion.Major < MinVersion)
                    throw new InvalidOperationException($"PostgreSQL {connection.PostgreSqlVersion} is too old; {MinVersion} is the first that works.");
                LogVersion(connection.PostgreSqlVersion.ToString());
                return;
            }
            catch (Exception exception) when (PostgresFaults.IsLost(exception) && _clock.TimeProvider.GetElapsedTime(began) < _options.Patience)
            {
                await Task.Delay(delay, _clock.TimeProvider, cancellationToken);
            }
            catch (NpgsqlException exception)
            {
                throw new InvalidOperationException($"The PostgreSQL database cannot be opened: {exception.Message} Check the connection string.", exception);
            }
        }
    }

    [LoggerMessage(2100, LogLevel.Information, "PostgreSQL {Version}.")]
    private partial void LogVersion(string version);

    [LoggerMessage(2101, LogLevel.Information, "Opened at offset {Head} in {Milliseconds:0} ms.")]
    private partial void LogOpened(long head, double milliseconds);

    [LoggerMessage(2102, LogLevel.Information, "Closed at offset {Head}.")]
    private partial void LogClosed(long head);

    private sealed record OpenDatabase(NpgsqlDataSource Database, Writer Writer, HeadWatcher Watcher);
}
