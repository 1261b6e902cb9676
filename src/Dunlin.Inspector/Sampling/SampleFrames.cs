namespace Dunlin.Inspector.Sampling;

/// <summary>Encodes samples as server-sent events. JSON has no line breaks, so one data line suffices.</summary>
internal static class SampleFrames
{
    public static byte[] Of(string type, ReadOnlySpan<byte> json) =>
        [.. "event: "u8, .. System.Text.Encoding.ASCII.GetBytes(type), .. "\ndata: "u8, .. json, .. "\n\n"u8];
}
