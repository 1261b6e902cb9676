using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Dunlin.Redis.Leases;

/// <summary>Implements <see cref="ISoftLeases"/>. Thread-safe.</summary>
/// <remarks>
/// Each verb is one script, so it is atomic in Redis. The data may have no life of the current server process, because it is empty or
/// another process wrote it. The node then takes a new number from the store and begins a life with it as epoch. The store issues each
/// number once and keeps it on disk.
/// <code>
/// acquire -- no life --> next fencing token of the store (committed) --> begin (the first node wins) --> acquire again
/// </code>
/// The epoch of a process is therefore newer than all epochs of other processes and of data before a flush, so its tokens are larger.
/// </remarks>
internal sealed partial class RedisSoftLeases(
    IOptions<SoftLeaseOptions> options,
    IStore store,
    TimeProvider time,
    ILogger<RedisSoftLeases> logger
) : ISoftLeases, IDisposable
{
    private const int MaxHolderLength = 200;
    private static readonly TimeSpan DefaultDuration = TimeSpan.FromSeconds(30);

    /// <summary>The maximum number of attempts. If the server process changes at each of them, Redis counts as failed.</summary>
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

    public async ValueTask<Lease?> TryAcquireAsync(
        ResourceName resource,
        LeaseDuration duration = default,
        LeaseSettings? settings = null,
        CancellationToken cancellationToken = default
    )
    {
        settings ??= LeaseSettings.Default;
        var request = settings.RequestFor(resource, duration, wait: false);
        LeaseChecks.CheckResource(resource);
        LeaseRequest.CheckId(request.LeaseId);
        if (request.Owner.Name is not { Length: >= 1 and <= MaxHolderLength })
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"The owner name of a soft lease must have 1 to {MaxHolderLength} characters.",
                "holder"
            );
        var lasts = duration.IsDefault ? DefaultDuration : duration.Value;
        for (var attempt = 1; ; attempt++)
        {
            var asked = time.GetTimestamp();
            var answer = (RedisResult[])
                (
                    await RunAsync(
                        Acquire,
                        [LifeKey, KeyOf(resource)],
                        [request.LeaseId, request.Owner.Name, Milliseconds(lasts)],
                        cancellationToken
                    )
                )!;
            switch ((long)answer[0])
            {
                case 1:
                    var claim = new LeaseClaim(resource, request.LeaseId, request.Owner.UserId, TokenOf(answer));
                    return new Holding(this, claim, lasts).Open(asked, settings.AutoRenew);
                case 0:
                    return null;
                default:
                    if (attempt == MaxAttempts)
                        throw Unknown("The Redis server changed repeatedly during the call.", null);
                    await BeginLifeAsync((string)answer[1]!, cancellationToken);
                    break;
            }
        }
    }

    /// <summary>Restarts the duration of a grant. It never acquires a lease.</summary>
    /// <returns>False if the lease is lost: it has expired, or Redis has lost it.</returns>
    internal async ValueTask<bool> RenewAsync(LeaseClaim claim, TimeSpan duration, CancellationToken cancellationToken)
    {
        var token = claim.FencingToken!.Value;
        RedisValue[] values = [claim.LeaseId, token.Epoch, token.Number, Milliseconds(duration)];
        return (long)await RunAsync(Renew, [KeyOf(claim.Resource)], values, cancellationToken) == 1;
    }

    /// <summary>Releases a grant.</summary>
    /// <returns>Whether the grant was still held.</returns>
    internal async ValueTask<bool> ReleaseAsync(LeaseClaim claim, CancellationToken cancellationToken)
    {
        var token = claim.FencingToken!.Value;
        RedisValue[] values = [claim.LeaseId, token.Epoch, token.Number];
        return (long)await RunAsync(Release, [KeyOf(claim.Resource)], values, cancellationToken) == 1;
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

    private static FencingToken TokenOf(RedisResult[] answer) => new((long)answer[1], (long)answer[2]);

    private static long Milliseconds(TimeSpan duration) => (long)duration.TotalMilliseconds;

    private async Task BeginLifeAsync(string process, CancellationToken cancellationToken)
    {
        var epoch = await store.WriteAsync((unit, ct) => unit.LeaseTable.NextFencingTokenAsync(ct), cancellationToken);
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
                    // Redis has lost its script cache and has executed nothing. The client then sends the text of the script.
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
            string.Create(CultureInfo.InvariantCulture, $"{detail} The lease may have changed. Repeat with the same lease id."),
            null,
            cause
        );

    [LoggerMessage(2220, LogLevel.Information, "Soft leases started with epoch {Epoch} on Redis process {Process}.")]
    private partial void LogBegun(string process, long epoch);

    [LoggerMessage(2221, LogLevel.Warning, "Releasing the soft lease of {Resource} failed. It is held until it expires.")]
    private static partial void LogReleaseFailed(ILogger logger, Exception exception, ResourceName resource);

    [LoggerMessage(
        2222,
        LogLevel.Warning,
        "Renewing the soft lease of {Resource} failed; retrying until it expires. Check the connection to Redis."
    )]
    private static partial void LogRenewalFailed(ILogger logger, Exception exception, ResourceName resource);

    private ILogger Logger => logger;

    /// <summary>One soft lease and its handle.</summary>
    private sealed class Holding(RedisSoftLeases leases, LeaseClaim claim, TimeSpan duration) : LeaseBackend(leases.Time)
    {
        private TimeSpan _duration = duration;

        public Lease Open(long asked, bool autoRenew) => new(this, claim, Term(asked), autoRenew);

        public override async ValueTask<LeaseTerm> RenewAsync(LeaseDuration duration, CancellationToken cancellationToken)
        {
            var lasts = duration.IsDefault ? _duration : duration.Value;
            var asked = Time.GetTimestamp();
            if (!await leases.RenewAsync(claim, lasts, cancellationToken))
                throw LeaseErrors.Lost(null, claim.Resource, LeaseEnd.Unknown);
            _duration = lasts;
            return Term(asked);
        }

        public override ValueTask HandOffAsync(string? toUserId, CancellationToken cancellationToken) =>
            throw new NotSupportedException("A soft lease has no queue and cannot be handed off. Use a lease of the store (ILeases).");

        public override ValueTask<bool> ReleaseAsync(CancellationToken cancellationToken) => leases.ReleaseAsync(claim, cancellationToken);

        // Redis stores no reason.
        public override ValueTask<LeaseEnd?> LossAsync() => new((LeaseEnd?)LeaseEnd.Unknown);

        public override void OnClosed() { }

        public override void LogReleaseFailed(Exception exception) =>
            RedisSoftLeases.LogReleaseFailed(leases.Logger, exception, claim.Resource);

        public override void LogRenewalFailed(Exception exception) =>
            RedisSoftLeases.LogRenewalFailed(leases.Logger, exception, claim.Resource);

        private LeaseTerm Term(long asked)
        {
            var left = _duration - Time.GetElapsedTime(asked);
            return TermOf(Time.GetUtcNow() + left, _duration, isEnding: false, asked);
        }
    }

    private TimeProvider Time => time;
}
