using System.Globalization;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Server.Tests.Support;

/// <summary>PgBouncer in transaction mode before a PostgreSQL server.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly ServerProcess _process;

    private PgBouncer(DirectoryInfo folder, ServerProcess process, int port) => (_folder, _process, Port) = (folder, process, port);

    public int Port { get; }

    public static async Task<PgBouncer> StartAsync(PostgresServer postgres)
    {
        var database = new NpgsqlConnectionStringBuilder(postgres.ConnectionString);
        var (folder, port) = (Directory.CreateTempSubdirectory("dunlin-pgbouncer-"), ServerProcess.FreePort());
        var file = Path.Combine(folder.FullName, "pgbouncer.ini");
        await File.WriteAllTextAsync(
            file,
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                [databases]
                postgres = host={database.Host} port={database.Port} user={database.Username}
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = {port}
                unix_socket_dir =
                auth_type = any
                pool_mode = transaction
                default_pool_size = 8
                max_client_conn = 200
                ignore_startup_parameters = extra_float_digits
                """
            )
        );
        string[] user = [];
        if (Environment.UserName == "root")
        {
            await ServerProcess.RunAsync("/bin/chown", ["-R", "postgres", folder.FullName]);
            user = ["--user=postgres"];
        }
        var process = ServerProcess.Start(ServerProcess.Find("pgbouncer", "pgbouncer", "/usr/sbin"), [.. user, file], folder.FullName);
        await process.WhenSeenAsync("process up");
        return new PgBouncer(folder, process, port);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.KillAsync();
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
