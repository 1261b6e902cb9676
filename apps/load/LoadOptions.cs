namespace Dunlin.Apps.Load;

/// <summary>The options of a run.</summary>
/// <param name="Url">Address of the deployment, including a path prefix.</param>
/// <param name="User">The user to sign in; null with a token or without authentication.</param>
/// <param name="Password">The user's password.</param>
/// <param name="Token">A bearer token instead of a user.</param>
/// <param name="Topic">The prefix of the topics. The user must be allowed to publish and read below it.</param>
/// <param name="Topics">Number of topics. Readers and publishers are distributed over them.</param>
/// <param name="Connections">Number of event streams.</param>
/// <param name="Stalled">Number of additional streams that stop reading after opening and continue after the measurement.</param>
/// <param name="Publishers">Number of concurrent publishers, each with one request at a time.</param>
/// <param name="Rate">Events per second of all publishers together; 0 for no limit.</param>
/// <param name="Size">Bytes of data per event.</param>
/// <param name="Warmup">Duration before the measurement.</param>
/// <param name="Duration">Duration of the measurement.</param>
/// <param name="ProcessId">The server's process on this machine, whose memory and CPU are read from /proc.</param>
public sealed record LoadOptions(
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
    int? ProcessId
)
{
    /// <summary>Gets the random number of this run. Keys and events carry it, so that no other run on the server is confused with this one.
    /// </summary>
    public long Run { get; } = Random.Shared.NextInt64();

    public string TopicOf(int index) => Topics == 1 ? Topic : FormattableString.Invariant($"{Topic}/{index % Topics}");
}
