using System.Text.Json;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres;
using Dunlin.Relational;
using Dunlin.Server.Tests.Support;
using Dunlin.Sqlite;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Server.Tests;

/// <summary>The command <c>move</c> of the server alone.</summary>
[Trait("Store", "own")]
public sealed class MoveTests : IAsyncLifetime
{
    private static readonly string Reader = Mint.User("reader", ("subscribe", "orders/*"), ("hold", "orders/*"));

    private readonly ServerProgram _program = new();

    private string SourceFile => Path.Combine(_program.Data, "dunlin.db");

    public ValueTask InitializeAsync()
    {
        _program.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        return default;
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    [Fact]
    public async Task Moved_events_and_leases_are_served_from_the_database()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await _program.StartAsync();
        var first = await PublishAsync("first");
        await PublishAsync("second");
        var fencingToken = await AcquireAsync("orders/1", "lease-before-move");
        await _program.KillAsync();

        var (code, output, error) = await MoveAsync(SourceFile, postgres.ConnectionString);
        Assert.True(code == 0, error);
        Assert.Contains("dunlin_journal", output, StringComparison.Ordinal);
        Assert.Matches(@"Moved \d+ rows\.", output);

        await _program.StartAsync("--store", postgres.ConnectionString);
        await using var stream = await Calls.OpenAsync(_program.Address, Reader, "topic=orders/1", first);
        Assert.Equal("\"second\"", (await stream.UntilAsync("e")).Data);
        // The client continues from its old position, without fetching all again.
        await PublishAsync("third");
        Assert.Equal("\"third\"", (await stream.UntilAsync("e")).Data);
        Assert.True(await AcquireAsync("orders/2", "lease-after-move") > fencingToken);
        var (status, _) = await LeaseAsync("orders/1", "lease-of-another");
        Assert.Equal(423, status);
    }

    [Fact]
    public async Task A_target_with_events_is_refused_and_not_changed()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await _program.StartAsync();
        await PublishAsync("of the file");
        await _program.KillAsync();
        await _program.StartAsync("--store", postgres.ConnectionString);
        var own = await PublishAsync("of the database");
        await _program.KillAsync();

        var (code, _, error) = await MoveAsync(SourceFile, postgres.ConnectionString);
        Assert.Equal(1, code);
        Assert.Contains("Nothing was moved", error, StringComparison.Ordinal);
        Assert.Contains("not empty", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);

        await using var target = Stores.Postgres(postgres.ConnectionString);
        await target.OpenAsync(TestContext.Current.CancellationToken);
        Assert.Equal(own, target.Head.ToString());
    }

    [Fact]
    public async Task A_missing_source_file_is_named()
    {
        var (code, _, error) = await MoveAsync("/nowhere/x.db", "Host=127.0.0.1");
        Assert.Equal((1, "dunlin: Nothing was moved: the file '/nowhere/x.db' does not exist.\n"), (code, error));
    }

    [Theory]
    [InlineData("--from", "move", "--store", "Host=127.0.0.1")]
    [InlineData("--store", "move", "--from", "x.db")]
    public async Task A_missing_option_is_named(string missing, params string[] arguments)
    {
        var (code, _, error) = await _program.RunCommandAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains(missing, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_moved_there_and_back_equals_its_source()
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        await _program.StartAsync();
        for (var i = 0; i < 20; i++)
            await PublishAsync($"event {i}");
        await AcquireAsync("orders/1", "lease-before-move");
        await _program.KillAsync();
        var (code, _, error) = await MoveAsync(SourceFile, postgres.ConnectionString);
        Assert.True(code == 0, error);

        var back = Path.Combine(_program.Folder, "back.db");
        await using (var source = Stores.Postgres(postgres.ConnectionString))
        await using (var target = Stores.Sqlite(back))
            Assert.True(await StoreMove.RunAsync(source, target, cancellationToken: TestContext.Current.CancellationToken) > 20);
        Assert.Equal(await StoreDump.OfFileAsync(SourceFile), await StoreDump.OfFileAsync(back));
    }

    private Task<ProgramResult> MoveAsync(string from, string store) => _program.RunCommandAsync("move", "--from", from, "--store", store);

    private Task<string> PublishAsync(string data) => Calls.PublishAsync(_program.Address, Mint.Backend(), "orders/1", data);

    private async Task<long> AcquireAsync(string resource, string leaseId)
    {
        var (status, lease) = await LeaseAsync(resource, leaseId);
        Assert.True(status == 201, $"{status}: {lease}");
        return lease.GetProperty("fence").GetInt64();
    }

    private Task<(int Status, JsonElement Answer)> LeaseAsync(string resource, string leaseId) =>
        Calls.SendAsync(_program.Address, Reader, HttpMethod.Put, $"/dunlin/v1/leases/{resource}", new { leaseId, seconds = 3_000 });
}
