using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Dunlin.Redis.Leases;

/// <summary>
/// One script for each verb, so that each is one step of Redis. Where a server process finds no life of its own in the data (it is
/// empty, or another process wrote it), the node takes a number from the store, which gives each once and has them on disk,
/// and begins a life with it:
/// <code>
///   acquire -- no life --> NextFence of the store (committed) --> begin (the first node wins) --> acquire again
/// </code>
/// So every grant of a process is of an epoch that was taken after everything that another process, or the data before a
/// flush, can have granted from: its tokens are larger. Safe for concurrent use.
/// </summary>
internal sealed partial class RedisSoftLeases(
    IOptions<SoftLeaseOptions> options,
    IStore store,
    TimeProvider time,
    ILogger<RedisSoftLeases> logger
) : ISoftLeases, IDisposable
{
    private const int MaxHolderLength = 200;

    /// <summary>Redis changing again and again while a life is begun is an outage.</summary>
    private const int MaxAttempts = 3;

    private static readonly LuaText Acquire = new("soft_acquire");
    private static readonly LuaText Begin = new("soft_begin");
    private static readonly LuaText Renew = new("soft_renew");
    private static readonly LuaText Release = new("soft_release");
    private static readonly LuaText Find = new("soft_find");

    private readonly SoftLeaseOptions _options = options.Value;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private volatile ConnectionMultiplexer? _redis;
    private bool _isDisposed;

    public async ValueTask<SoftLease?> TryAcquireAsync(
        ResourceName resource,
        string leaseId,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken = default
    )
    {
        Check(resource, leaseId);
        if (holder is not { Length: >= 1 and <= MaxHolderLength })
            throw new DunlinException(ErrorCode.InvalidField, $"A holder has 1 to {MaxHolderLength} characters.", "holder");
        var milliseconds = Check(duration);
        for (var attempt = 1; ; attempt++)
        {
            var asked = time.GetTimestamp();
            var answer = (RedisResult[])
                (await RunAsync(Acquire, [LifeKey, KeyOf(resource)], [leaseId, holder, milliseconds], cancellationToken))!;
            switch ((long)answer[0])
            {
                case 1:
                    return new SoftLease(resource, leaseId, TokenOf(answer), ValidFor(duration, asked));
                case 0:
                    return null;
                default:
                    if (attempt == MaxAttempts)
                        throw Unknown("Redis was changed again and again.", null);
                    await BeginLifeAsync((string)answer[1]!, cancellationToken);
                    break;
            }
        }
    }

    public async ValueTask<SoftLease?> RenewAsync(SoftLease lease, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        Check(lease.Resource, lease.LeaseId);
        var milliseconds = Check(duration);
        var asked = time.GetTimestamp();
        var answer = await RunAsync(
            Renew,
            [KeyOf(lease.Resource)],
            [lease.LeaseId, lease.Token.Epoch, lease.Token.Number, milliseconds],
            cancellationToken
        );
        return (long)answer == 1 ? lease with { ValidFor = ValidFor(duration, asked) } : null;
    }

    public async ValueTask<bool> ReleaseAsync(SoftLease lease, CancellationToken cancellationToken = default)
    {
        Check(lease.Resource, lease.LeaseId);
        return (long)
                await RunAsync(Release, [KeyOf(lease.Resource)], [lease.LeaseId, lease.Token.Epoch, lease.Token.Number], cancellationToken)
            == 1;
    }

    public async ValueTask<SoftHolder?> FindAsync(ResourceName resource, CancellationToken cancellationToken = default)
    {
        var answer = (RedisResult[])(await RunAsync(Find, [KeyOf(resource)], [], cancellationToken))!;
        return answer.Length == 0 ? null : new SoftHolder((string)answer[0]!, TokenOf(answer), TimeSpan.FromMilliseconds((long)answer[3]));
    }

    public void Dispose()
    {
        _isDisposed = true;
        _redis?.Dispose();
        _connecting.Dispose();
    }

    private RedisKey LifeKey => $"{{{_options.Prefix}}}:soft-life";

    private RedisKey KeyOf(ResourceName resource) => $"{{{_options.Prefix}}}:soft:{resource.Value}";

    private static SoftToken TokenOf(RedisResult[] answer) => new((long)answer[1], (long)answer[2]);

    private TimeSpan ValidFor(TimeSpan duration, long asked) =>
        duration - time.GetElapsedTime(asked) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private static void Check(ResourceName resource, string leaseId)
    {
        ResourceName.Parse(resource.Value);
        LeaseRequest.CheckId(leaseId);
    }

    private static long Check(TimeSpan duration) =>
        duration >= TimeSpan.FromMilliseconds(1) && duration <= TimeSpan.FromDays(1)
            ? (long)duration.TotalMilliseconds
            : throw new DunlinException(ErrorCode.InvalidField, "A soft lease lasts a millisecond to a day.", "duration");

    private async Task BeginLifeAsync(string process, CancellationToken cancellationToken)
    {
        var epoch = await store.WriteAsync((unit, ct) => unit.Leases.NextFenceAsync(ct), cancellationToken);
        if ((long)await RunAsync(Begin, [LifeKey], [process, epoch], cancellationToken) == 1)
            LogBegun(process, epoch);
    }

    private async Task<RedisResult> RunAsync(LuaText script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        try
        {
            var database = (_redis ?? await ConnectAsync(cancellationToken)).GetDatabase();
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await database
                        .ScriptEvaluateAsync(script.Text, keys, values)
                        .WaitAsync(_options.Timeout, time, cancellationToken);
                }
                catch (RedisServerException exception)
                    when (attempt == 1 && exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
                {
                    // Redis has forgotten its scripts, and done nothing; the client knows now, and sends the text.
                }
            }
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            throw Unknown($"Redis does not answer ({exception.Message}).", exception);
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken);
        try
        {
            if (_redis is { } connected)
                return connected;
            var configuration = ConfigurationOptions.Parse(_options.Configuration);
            configuration.AbortOnConnectFail = false;
            configuration.ClientName ??= "dunlin-leases";
            return _redis = await ConnectionMultiplexer.ConnectAsync(configuration);
        }
        finally
        {
            _connecting.Release();
        }
    }

    private static DunlinException Unknown(string detail, Exception? cause) =>
        new(
            ErrorCode.OutcomeUnknown,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{detail} Whether the lease was changed is unknown: repeat with the same lease id."
            ),
            null,
            cause
        );

    [LoggerMessage(2220, LogLevel.Information, "Soft leases begin with the epoch {Epoch} on the Redis process {Process}.")]
    private partial void LogBegun(string process, long epoch);
}
