namespace Dunlin.Fuzz.Engine;

/// <summary>What reads inputs, and decides whether it read them well. Not thread-safe.</summary>
/// <param name="name">The name, which is also the folder of the corpus.</param>
/// <param name="scope">The beginnings of the full names of the types that the target is to reach.</param>
internal abstract class FuzzTarget(string name, params string[] scope) : IAsyncDisposable
{
    public string Name => name;

    public IReadOnlyList<string> Scope => scope;

    /// <summary>Gets the texts that mutations insert.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Gets the longest input in bytes.</summary>
    public int MaxLength { get; init; } = 2_048;

    /// <summary>Gets the share of the time, in relation to other targets.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Gets whether half of the mutations change the input as JSON.</summary>
    public bool IsJson { get; init; }

    public virtual ValueTask StartAsync() => ValueTask.CompletedTask;

    /// <summary>Reads an input.</summary>
    /// <exception cref="FindingException">The engine broke a promise. Every other exception is a finding too.</exception>
    public abstract ValueTask RunAsync(byte[] input);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A target without state that reads its input on the calling thread.</summary>
internal sealed class ParserTarget(string name, Action<byte[]> run, params string[] scope) : FuzzTarget(name, scope)
{
    public override ValueTask RunAsync(byte[] input)
    {
        run(input);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The engine broke a promise.</summary>
/// <param name="kind">The promise. Findings of one kind are reported once.</param>
/// <param name="detail">What happened.</param>
internal sealed class FindingException(string kind, string detail) : Exception($"{kind}: {detail}")
{
    public string Kind => kind;

    /// <exception cref="FindingException">The condition is false.</exception>
    public static void Require(bool condition, string kind, string detail)
    {
        if (!condition)
            throw new FindingException(kind, detail);
    }
}
