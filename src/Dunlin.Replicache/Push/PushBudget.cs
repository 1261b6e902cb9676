using Dunlin.Diagnostics;
using Dunlin.Limits;

namespace Dunlin.Replicache.Push;

/// <summary>The rates of a user at this node, and how much one push may do.</summary>
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

/// <summary>What is left of one push. A mutation is counted once, however often its commit is given up and done again.</summary>
internal sealed class PushBudget(PushLimits limits, string userId, long began)
{
    private int _countedTo;
    private int _done;

    /// <summary>Why no further mutation may be done; null while one may.</summary>
    public DunlinException? Refusal { get; private set; }

    /// <summary>Whether the mutation at this place of the push, which is new, may be done.</summary>
    public bool MayDo(int index)
    {
        if (index < _countedTo)
            return true;
        // At least one, or a client would never get on.
        Refusal = _done > 0 && limits.IsOver(began, _done) ? limits.Partly() : limits.RefusalOf(userId);
        if (Refusal is not null)
            return false;
        _countedTo = index + 1;
        _done++;
        return true;
    }

    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>.</exception>
    public void TakeClients(int count) => limits.TakeClients(userId, count);
}
