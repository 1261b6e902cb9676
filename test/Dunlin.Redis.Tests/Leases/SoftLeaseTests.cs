using System.Collections.Concurrent;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Redis.Leases;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Redis.Tests.Leases;

/// <summary>The guarantees of soft leases, and their behaviour when Redis loses data.</summary>
public sealed class SoftLeaseTests : IAsyncLifetime
{
    private const string IdA = "lease-id-of-a",
        IdB = "lease-id-of-b";

    private static readonly ResourceName File = ResourceName.Parse("files/1");
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private readonly InMemoryStore _store = new(
        new CommitFeed(),
        new StoreClock(TimeProvider.System),
        Options.Create(new RetentionOptions())
    );
    private readonly List<IDisposable> _nodes = [];
    private RedisServer _redis = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartNewAsync();

    [Fact]
    public async Task A_held_lease_refuses_others_until_its_release()
    {
        var (a, b) = (NewNode(), NewNode());
        var held = await AcquireAsync(a, IdA);
        Assert.InRange(held!.ExpiresAt - TimeProvider.System.GetUtcNow(), Long - TimeSpan.FromMinutes(1), Long);
        Assert.Null(await AcquireAsync(b, IdB));
        var (holder, token, left) = (await b.FindAsync(File, Cancellation))!;
        Assert.Equal(("Ann", held.FencingToken), (holder, token));
        Assert.InRange(left, Long - TimeSpan.FromMinutes(1), Long);
        Assert.False(await b.ReleaseAsync(held.Claim with { LeaseId = IdB }, Cancellation));
        Assert.True(await held.ReleaseAsync(Cancellation));
        Assert.False(await held.ReleaseAsync(Cancellation));
        Assert.False(await a.ReleaseAsync(held.Claim, Cancellation));
        Assert.Null(await b.FindAsync(File, Cancellation));
        var next = (await AcquireAsync(b, IdB))!.FencingToken;
        Assert.True(next > held.FencingToken, $"{next} after {held.FencingToken}");
    }

    [Fact]
    public async Task A_repeated_request_after_a_lost_reply_gives_the_same_grant()
    {
        var node = NewNode();
        var first = await AcquireAsync(node, IdA);
        Assert.Equal(first!.FencingToken, (await AcquireAsync(node, IdA))!.FencingToken);
    }

    [Fact]
    public async Task A_renewal_extends_the_lease_and_never_acquires()
    {
        var node = NewNode();
        var held = await node.TryAcquireAsync(File, TimeSpan.FromMilliseconds(1), OptionsOf(IdA), Cancellation);
        Assert.NotNull(held);
        await WhenAsync(async () => await node.FindAsync(File, Cancellation) is null);
        Assert.False(await node.RenewAsync(held.Claim, Long, Cancellation));
        var again = await node.TryAcquireAsync(File, TimeSpan.FromMinutes(1), OptionsOf(IdA), Cancellation);
        // The same id, but a new grant.
        Assert.False(await node.RenewAsync(held.Claim, Long, Cancellation));
        Assert.False(await node.ReleaseAsync(held.Claim, Cancellation));
        await again!.RenewAsync(Long, Cancellation);
        Assert.Equal(again.FencingToken, (await node.FindAsync(File, Cancellation))!.FencingToken);
        Assert.True((await node.FindAsync(File, Cancellation))!.ValidFor > TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task A_grant_of_lost_data_neither_renews_nor_releases_a_later_one()
    {
        var node = NewNode();
        Assert.Equal("+OK", await _redis.TrySendAsync("FLUSHALL"));
        var first = await RetryAsync(() => AcquireAsync(node, IdA));
        Assert.Equal("+OK", await _redis.TrySendAsync("FLUSHALL"));
        var second = await RetryAsync(() => AcquireAsync(node, IdA));
        // The same id and the same number, but another epoch.
        Assert.Equal(first!.FencingToken.Number, second!.FencingToken.Number);
        Assert.False(await node.RenewAsync(first.Claim, Long, Cancellation));
        Assert.False(await node.ReleaseAsync(first.Claim, Cancellation));
        Assert.Equal(second.FencingToken, (await node.FindAsync(File, Cancellation))!.FencingToken);
    }

    [Fact]
    public async Task With_an_intact_Redis_one_holder_exists_and_tokens_grow()
    {
        var nodes = new[] { NewNode(), NewNode() };
        var (inside, tokens) = (0, new ConcurrentQueue<FencingToken>());
        await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(w =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 20; )
                        {
                            if (await AcquireAsync(nodes[w % 2], $"lease-of-worker-{w}") is not { } held)
                                continue;
                            Assert.Equal(1, Interlocked.Increment(ref inside));
                            tokens.Enqueue(held.FencingToken);
                            Assert.Equal(0, Interlocked.Decrement(ref inside));
                            Assert.True(await nodes[(w + 1) % 2].ReleaseAsync(held.Claim, Cancellation));
                            i++;
                        }
                    })
                )
        );
        Assert.Equal(320, tokens.Distinct().Count());
        Assert.Equal(tokens.Order(), tokens);
        Assert.Single(tokens.DistinctBy(token => token.Epoch));
    }

    [Theory]
    [InlineData("FLUSHALL")]
    [InlineData("restart")]
    public async Task After_data_loss_two_holders_may_exist_and_the_newer_token_wins(string how)
    {
        var (a, b) = (NewNode(), NewNode());
        var resource = new Fenced();
        var first = await AcquireAsync(a, IdA);
        for (var i = 0; i < 10; i++)
            await a.TryAcquireAsync(ResourceName.Of("others", $"{i}"), Long, OptionsOf(IdA), Cancellation);
        Assert.True(resource.Write(first!.FencingToken));
        if (how == "restart")
        {
            await _redis.StopAsync();
            await _redis.StartAsync();
        }
        else
        {
            Assert.Equal("+OK", await _redis.TrySendAsync(how));
        }
        // Not guaranteed any more: the first grant has an hour left.
        var second = await RetryAsync(() => AcquireAsync(b, IdB));
        Assert.NotNull(second);
        // Still guaranteed.
        Assert.True(second.FencingToken > first.FencingToken, $"{second.FencingToken} after {first.FencingToken}");
        Assert.True(second.FencingToken.Epoch > first.FencingToken.Epoch);
        Assert.True(resource.Write(second.FencingToken));
        Assert.False(resource.Write(first.FencingToken));
        Assert.False(await RetryAsync(() => a.RenewAsync(first.Claim, Long, Cancellation).AsTask()));
    }

    [Fact]
    public async Task A_lagging_replica_that_takes_over_repeats_no_token()
    {
        await using var replica = await RedisServer.StartNewAsync();
        var (before, after) = (NewNode(), NewNode(replica));
        await AcquireAsync(before, IdA);
        Assert.Equal("+OK", await replica.TrySendAsync($"REPLICAOF 127.0.0.1 {_redis.Port}"));
        await WhenAsync(async () =>
            await _redis.TrySendAsync("WAIT 1 1000") == ":1" && await after.FindAsync(File, Cancellation) is not null
        );
        Assert.Equal("+OK", await replica.TrySendAsync("REPLICAOF NO ONE"));
        // The replica never received these.
        var last = default(FencingToken);
        for (var i = 0; i < 10; i++)
            last = (await before.TryAcquireAsync(ResourceName.Of("others", $"{i}"), Long, OptionsOf(IdA), Cancellation))!.FencingToken;
        // Leases that the replica received still hold, and new grants have newer tokens.
        Assert.Null(await AcquireAsync(after, IdB));
        Assert.True((await after.TryAcquireAsync(ResourceName.Parse("others/1"), Long, OptionsOf(IdB), Cancellation))!.FencingToken > last);
    }

    [Fact]
    public async Task Nodes_that_find_an_empty_Redis_together_agree_on_an_epoch()
    {
        for (var round = 0; round < 10; round++)
        {
            await _redis.TrySendAsync("FLUSHALL");
            var nodes = Enumerable.Range(0, 4).Select(_ => NewNode()).ToList();
            var leases = await Task.WhenAll(
                nodes.Select(
                    (node, i) =>
                        Task.Run(() => node.TryAcquireAsync(ResourceName.Of("r", $"{i}"), Long, OptionsOf(IdA), Cancellation).AsTask())
                )
            );
            Assert.Single(leases.DistinctBy(lease => lease!.FencingToken.Epoch));
            Assert.Equal(4, leases.DistinctBy(lease => lease!.FencingToken).Count());
        }
    }

    [Fact]
    public async Task An_unavailable_or_hung_Redis_leaves_the_outcome_unknown()
    {
        var node = NewNode();
        await AcquireAsync(node, IdA);
        await _redis.TrySendAsync("CLIENT PAUSE 60000 ALL");
        Assert.Equal(ErrorCode.OutcomeUnknown, (await Assert.ThrowsAsync<DunlinException>(() => AcquireAsync(node, IdA))).Code);
        await _redis.StopAsync();
        Assert.Equal(ErrorCode.OutcomeUnknown, (await Assert.ThrowsAsync<DunlinException>(() => AcquireAsync(node, IdA))).Code);
    }

    [Fact]
    public async Task Soft_leases_are_registered_on_request()
    {
        await using var services = new ServiceCollection()
            .AddDunlinCore()
            .AddInMemory()
            .AddRedisSoftLeases(_redis.Endpoint)
            .Services.BuildServiceProvider();
        var leases = services.GetRequiredService<ISoftLeases>();
        Assert.NotNull(await leases.TryAcquireAsync(File, Long, OptionsOf(IdA), Cancellation));
    }

    [Fact]
    public async Task An_invalid_lease_request_is_refused()
    {
        var node = NewNode();
        foreach (
            var action in new Func<Task>[]
            {
                () => AcquireAsync(node, "short"),
                () => node.TryAcquireAsync(File, Long, OptionsOf(IdA, new string('x', 201)), Cancellation).AsTask(),
                () => node.TryAcquireAsync(File, TimeSpan.Zero, OptionsOf(IdA), Cancellation).AsTask(),
                () => node.TryAcquireAsync(File, TimeSpan.FromDays(2), OptionsOf(IdA), Cancellation).AsTask(),
            }
        )
        {
            Assert.Equal(ErrorCode.InvalidField, (await Assert.ThrowsAsync<DunlinException>(action)).Code);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _nodes.ForEach(node => node.Dispose());
        await _redis.DisposeAsync();
        _store.Dispose();
    }

    private RedisSoftLeases NewNode(RedisServer? redis = null)
    {
        var options = new SoftLeaseOptions { Configuration = (redis ?? _redis).Endpoint, Timeout = TimeSpan.FromSeconds(1) };
        var node = new RedisSoftLeases(Options.Create(options), _store, TimeProvider.System, NullLogger<RedisSoftLeases>.Instance);
        _nodes.Add(node);
        return node;
    }

    private static Task<Lease?> AcquireAsync(RedisSoftLeases node, string id) =>
        node.TryAcquireAsync(File, Long, OptionsOf(id), Cancellation).AsTask();

    private static LeaseSettings OptionsOf(string id, string? name = null)
    {
        name ??= id == IdA ? "Ann" : "Bob";
        return new LeaseSettings { LeaseId = id, Owner = new LeaseOwner(name, name) };
    }

    /// <summary>Retries, as a client does while Redis restarts.</summary>
    private static async Task<T> RetryAsync<T>(Func<Task<T>> action)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await action();
            }
            catch (DunlinException exception) when (exception.Code == ErrorCode.OutcomeUnknown && attempt < 200)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
            }
        }
    }

    private static async Task WhenAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }

    /// <summary>A resource that remembers the largest token.</summary>
    private sealed class Fenced
    {
        private FencingToken _largest;

        public bool Write(FencingToken token)
        {
            if (token < _largest)
                return false;
            _largest = token;
            return true;
        }
    }
}
