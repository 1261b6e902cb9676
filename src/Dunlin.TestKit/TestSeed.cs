using System.Globalization;

namespace Dunlin.TestKit;

/// <summary>Random numbers that can be had again: the seed is written to the output of the test, and DUNLIN_SEED sets it.</summary>
public static class TestSeed
{
    /// <summary>A generator of its own for one test. Not for concurrent use: hand each thread <c>new Random(seed + n)</c>.</summary>
    public static Random NewRandom(out int seed)
    {
        seed = int.TryParse(Environment.GetEnvironmentVariable("DUNLIN_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"DUNLIN_SEED={seed}");
        return new Random(seed);
    }
}
