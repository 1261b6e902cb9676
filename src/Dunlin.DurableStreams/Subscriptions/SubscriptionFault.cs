namespace Dunlin.DurableStreams.Subscriptions;

/// <summary>An error with a code of the protocol. Its body is <c>{"error":{"code":...}}</c>.</summary>
internal sealed class SubscriptionFault(int status, string code, string message) : Exception(message)
{
    public int Status => status;

    public string Code => code;

    /// <summary>Gets the worker that holds the lease; null for none.</summary>
    public string? Holder { get; init; }

    public long? Generation { get; init; }

    public static SubscriptionFault Invalid(string message) => new(400, "INVALID_REQUEST", message);

    public static SubscriptionFault NotFound(string id) => new(404, "SUBSCRIPTION_NOT_FOUND", $"There is no subscription '{id}'.");

    public static SubscriptionFault BadToken() =>
        new(401, "TOKEN_INVALID", "The token is missing or not valid. Send the token of the wake as 'Authorization: Bearer'.");

    /// <summary>Throws unless a request of a worker succeeded.</summary>
    public static void Require(string id, StreamClaimResult result)
    {
        if (result.Outcome != StreamClaimOutcome.Ok)
            throw Of(id, result);
    }

    private static SubscriptionFault Of(string id, StreamClaimResult result) =>
        result.Outcome switch
        {
            StreamClaimOutcome.NotFound => NotFound(id),
            StreamClaimOutcome.AlreadyClaimed => new(409, "ALREADY_CLAIMED", "Another worker holds the lease. Wait for the next wake.")
            {
                Holder = result.Row?.Holder,
                Generation = result.Row?.Generation,
            },
            StreamClaimOutcome.NoPendingWork => new(409, "NO_PENDING_WORK", "No stream of the subscription has new data."),
            StreamClaimOutcome.Fenced => new(409, "FENCED", "The wake has ended. Stop this work; another worker may have it."),
            _ => new(
                409,
                "INVALID_OFFSET",
                "An acknowledged offset is unknown, below the cursor, or beyond the tail. Send offsets that were read from the stream."
            ),
        };
}
