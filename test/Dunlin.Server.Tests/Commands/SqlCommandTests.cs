using System.Diagnostics;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Npgsql;

namespace Dunlin.Server.Tests.Commands;

/// <summary>The commands <c>sql install</c> and <c>sql print</c>.</summary>
[Trait("Store", "own")]
public sealed class SqlCommandTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Installed_functions_publish_and_a_second_install_updates_them()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        var (code, output, error) = await Cli.RunAsync("sql", "install", "--store", postgres.ConnectionString);
        Assert.True(code == 0, error);
        Assert.Contains("GRANT USAGE ON SCHEMA dunlin", output, StringComparison.Ordinal);
        Assert.True(await PublishesAsync(postgres.ConnectionString, "dunlin"));
        (code, output, _) = await Cli.RunAsync(
            "sql",
            "install",
            "--schema",
            "dunlin",
            "--output",
            "json",
            "--store",
            postgres.ConnectionString
        );
        Assert.Equal((0, "{\"schema\":\"dunlin\"}\n"), (code, output));
        Assert.True(await PublishesAsync(postgres.ConnectionString, "dunlin"));

        (code, _, error) = await Cli.RunAsync("sql", "install", "--schema", "public", "--store", postgres.ConnectionString);
        Assert.Equal(1, code);
        Assert.Contains("schema of the store", error, StringComparison.Ordinal);

        // The printed script does the same by psql, also for another schema with a name that needs quotes.
        (code, output, _) = await Cli.RunAsync("sql", "print", "--schema", "My \"functions\"");
        Assert.Equal(0, code);
        await PsqlAsync(postgres, output);
        await PsqlAsync(postgres, output);
        Assert.True(await PublishesAsync(postgres.ConnectionString, "\"My \"\"functions\"\"\""));
    }

    [Fact]
    public async Task Wrong_arguments_are_named()
    {
        var (code, _, error) = await Cli.RunAsync("sql", "install", "--data", "/nowhere");
        Assert.Equal(2, code);
        Assert.Contains("--store", error, StringComparison.Ordinal);
        (code, _, error) = await Cli.RunAsync("sql", "print", "--schema", "");
        Assert.Equal(2, code);
        Assert.Contains("--schema", error, StringComparison.Ordinal);
        var port = ServerProcess.FreePort();
        (code, _, error) = await Cli.RunAsync("sql", "install", "--store", $"Host=127.0.0.1;Port={port};Username=postgres;Timeout=1");
        Assert.Equal(1, code);
        Assert.Contains("PostgreSQL", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private static async Task<bool> PublishesAsync(string database, string schema)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand($"SELECT {schema}.publish('a', 'x', '1')", connection);
        return (bool)(await command.ExecuteScalarAsync(Cancel))!;
    }

    private static async Task PsqlAsync(PostgresServer server, string script)
    {
        var database = new NpgsqlConnectionStringBuilder(server.ConnectionString);
        var start = new ProcessStartInfo("psql")
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        string[] arguments =
        [
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            $"host={database.Host} port={database.Port} user={database.Username} dbname={database.Database ?? "postgres"}",
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        if (database.Password is { } password)
            start.Environment["PGPASSWORD"] = password;
        using var psql = Process.Start(start)!;
        await psql.StandardInput.WriteAsync(script.AsMemory(), Cancel);
        psql.StandardInput.Close();
        var error = psql.StandardError.ReadToEndAsync(Cancel);
        await psql.StandardOutput.ReadToEndAsync(Cancel);
        await psql.WaitForExitAsync(Cancel);
        Assert.True(psql.ExitCode == 0, await error);
    }
}
