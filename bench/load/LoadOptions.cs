namespace Dunlin.Bench.Load;

/// <summary>What to do to which deployment.</summary>
/// <param name="Url">Its address, a path prefix included.</param>
/// <param name="User">Signs in with the password; null where a token is given or nothing is asked for.</param>
/// <param name="Password">Of the user.</param>
/// <param name="Token">A bearer token, instead of a user.</param>
/// <param name="Topic">The prefix of the topics; the user must be able to publish to and read what is below.</param>
/// <param name="Topics">How many topics; readers and publishers are spread over them.</param>
/// <param name="Connections">How many event streams.</param>
/// <param name="Stalled">How many streams more that stop reading once they are open, and read on when the counting is over.</param>
/// <param name="Publishers">How many publish at once, each one event at a time.</param>
/// <param name="Rate">Events per second of all publishers; 0 as fast as the answers come.</param>
/// <param name="Size">Bytes of data of an event.</param>
/// <param name="Warmup">How long before anything is counted.</param>
/// <param name="Duration">How long it is counted.</param>
/// <param name="ProcessId">The server's process, where it is on this machine: its memory and CPU are read from /proc.</param>
/// <param name="Plot">Where to write the picture; null for none.</param>
/// <param name="Json">Where to write the figures; null for nowhere.</param>
internal sealed record LoadOptions(
    Uri Url,
    string? User,
    string? Password,
    string? Token,
    string Topic,
    int Topics,
    int Connections,
    int Stalled,
    int Publishers,
    double Rate,
    int Size,
    TimeSpan Warmup,
    TimeSpan Duration,
    int? ProcessId,
    FileInfo? Plot,
    FileInfo? Json
)
{
    public string TopicOf(int index) => Topics == 1 ? Topic : FormattableString.Invariant($"{Topic}/{index % Topics}");
}
