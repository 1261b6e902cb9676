using System.Globalization;

namespace Dunlin.TestKit;

/// <summary>Creates reproducible random generators: the test output contains the seed, and the environment variable DUNLIN_SEED sets
/// it.</summary>
public static class TestSeed
{
    /// <summary>Returns a generator for one test. Not thread-safe: give each thread its own <c>new Random(seed + n)</c>.</summary>
    /// <param name="seed">The seed.</param>
    public static Random NewRandom(out int seed)
    {
        seed = int.TryParse(Environment.GetEnvironmentVariable("DUNLIN_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"DUNLIN_SEED={seed}");
        return new Random(seed);
    }
}
