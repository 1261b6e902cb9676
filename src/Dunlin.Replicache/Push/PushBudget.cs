using Dunlin.Diagnostics;
using Dunlin.Limits;

namespace Dunlin.Replicache.Push;

/// <summary>Enforces the rates of a user on this node and the limits of one push. Thread-safe.</summary>
internal sealed class PushLimits(ReplicacheOptions options, UserRates rates, TimeProvider time)
{
    private readonly UserRate _mutations = new("mutations", options.MutationsPerSecond, options.MutationBurst);
    private readonly UserRate _clients = UserRate.Hourly("new clients and client groups", options.ClientsPerHour);

    public PushBudget Begin(string userId) => new(this, userId, time.GetTimestamp());

    internal DunlinException? RefusalOf(string userId)
    {
        try
        {
            rates.Take(_mutations, userId);
            return null;
        }
        catch (DunlinException exception) when (exception.Code == ErrorCode.TooManyRequests)
        {
            return exception;
        }
    }

    internal void TakeClients(string userId, int count) => rates.Take(_clients, userId, count);

    internal bool IsOver(long began, int done) => done >= options.MaxMutations || time.GetElapsedTime(began) >= options.PushLimit;

    internal DunlinException Partly() =>
        new(
            ErrorCode.TooManyRequests,
            $"The push has more than {options.MaxMutations} new mutations, or took longer than {options.PushLimit.TotalSeconds} s. The first ones are stored; send all pending mutations again."
        )
        {
            RetryAfter = TimeSpan.FromSeconds(1),
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = options.MaxMutations },
        };
}

/// <summary>Counts the mutations of one push. A mutation counts once, even if its commit is rolled back and repeated. Not
/// thread-safe.</summary>
internal sealed class PushBudget(PushLimits limits, string userId, long began)
{
    private int _countedTo;
    private int _done;

    /// <summary>Gets the reason why no further mutation may run, or null.</summary>
    public DunlinException? Refusal { get; private set; }

    /// <summary>Returns whether the new mutation at this index of the push may run.</summary>
    public bool MayDo(int index)
    {
        if (index < _countedTo)
            return true;
        // At least one mutation may run, so that the client makes progress.
        Refusal = _done > 0 && limits.IsOver(began, _done) ? limits.Partly() : limits.RefusalOf(userId);
        if (Refusal is not null)
            return false;
        _countedTo = index + 1;
        _done++;
        return true;
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: the user has created too many clients.</exception>
    public void TakeClients(int count) => limits.TakeClients(userId, count);
}
