namespace Dunlin.Fuzz.Engine;

/// <summary>Makes an input with a fault as short as it can be.</summary>
internal static class Shrinker
{
    /// <summary>Removes parts while the input keeps its fault.</summary>
    public static async Task<byte[]> ShrinkAsync(FuzzTarget target, byte[] input, string kind)
    {
        for (var size = Math.Max(1, input.Length / 2); size > 0; size /= 2)
        {
            for (var at = 0; at + size <= input.Length; )
            {
                byte[] shorter = [.. input[..at], .. input[(at + size)..]];
                if (await FuzzRunner.FaultOfAsync(target, shorter) is { } fault && FindingStore.KindOf(fault) == kind)
                    input = shorter;
                else
                    at += size;
            }
        }
        return input;
    }
}
