using System.Text;
using System.Text.Json;
using Dunlin.Fuzz.Requests;

namespace Dunlin.Fuzz.Engine;

/// <summary>Makes new inputs from those of a corpus. The seed determines all of them. Not thread-safe.</summary>
internal sealed class Mutator(FuzzTarget target, Random random)
{
    private const int MaxChanges = 6;

    private static readonly byte[] Interesting =
    [
        0,
        1,
        9,
        10,
        13,
        32,
        34,
        35,
        37,
        38,
        44,
        47,
        58,
        61,
        92,
        123,
        127,
        128,
        192,
        237,
        254,
        255,
    ];

    private static readonly string[] Numbers =
    [
        "0",
        "-1",
        "1",
        "00",
        "127",
        "255",
        "256",
        "65535",
        "65536",
        "2147483647",
        "2147483648",
        "4294967295",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "1e400",
        "+1",
        "0x10",
        "1.5",
    ];

    private readonly byte[][] _words = [.. target.Words.Select(Encoding.Latin1.GetBytes)];

    public byte[] Next(IReadOnlyList<byte[]> corpus)
    {
        var bytes = corpus.Count == 0 ? [] : corpus[random.Next(corpus.Count)].ToList();
        if (target.IsJson && random.Next(2) == 0 && Json(bytes) is { } json)
            return Cut(json);
        for (var changes = random.Next(1, MaxChanges); changes > 0; changes--)
            Change(bytes, corpus);
        return Cut([.. bytes]);
    }

    private byte[] Cut(byte[] bytes) => bytes.Length <= target.MaxLength ? bytes : bytes[..target.MaxLength];

    // A request is text before the JSON of its body; other inputs are JSON from the beginning.
    private byte[]? Json(List<byte> bytes)
    {
        var input = bytes.ToArray();
        var head = input.AsSpan().IndexOf("\n\n"u8) is var end and >= 0 ? end + 2 : 0;
        try
        {
            var json = JsonFuzz.Parse(Encoding.UTF8.GetString(input.AsSpan(head)));
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                json.Mutate(random, target.Words);
            return [.. input[..head], .. Encoding.UTF8.GetBytes(json.ToString())];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return null; // no JSON: the bytes are changed
        }
    }

    private void Change(List<byte> bytes, IReadOnlyList<byte[]> corpus)
    {
        var at = random.Next(bytes.Count + 1);
        switch (random.Next(12))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = Interesting[random.Next(Interesting.Length)];
                break;
            case 2 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 3 when at < bytes.Count:
                bytes.RemoveRange(at, random.Next(1, Math.Min(bytes.Count - at, 32) + 1));
                break;
            case 4 when bytes.Count > 0:
                var from = random.Next(bytes.Count);
                bytes.InsertRange(at, bytes.GetRange(from, random.Next(1, Math.Min(bytes.Count - from, 32) + 1)));
                break;
            case 5:
                bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), random.Next(1, random.Next(8) == 0 ? 300 : 8)));
                break;
            case 6:
                bytes.Insert(at, Interesting[random.Next(Interesting.Length)]);
                break;
            case 7:
                bytes.InsertRange(at, Encoding.ASCII.GetBytes(Numbers[random.Next(Numbers.Length)]));
                break;
            case 8 when corpus.Count > 0:
                var other = corpus[random.Next(corpus.Count)];
                var start = random.Next(other.Length + 1);
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other[start..]);
                break;
            case 9 when Digits(bytes, at) is { Length: > 0 } digits:
                bytes.RemoveRange(digits.From, digits.Length);
                bytes.InsertRange(digits.From, Encoding.ASCII.GetBytes(Numbers[random.Next(Numbers.Length)]));
                break;
            default:
                if (_words.Length == 0)
                    bytes.Insert(at, (byte)random.Next(256));
                else if (random.Next(2) == 0)
                    bytes.InsertRange(at, _words[random.Next(_words.Length)]);
                else
                    Overwrite(bytes, at, _words[random.Next(_words.Length)]);
                break;
        }
    }

    private static void Overwrite(List<byte> bytes, int at, byte[] word)
    {
        bytes.RemoveRange(at, Math.Min(word.Length, bytes.Count - at));
        bytes.InsertRange(at, word);
    }

    private static (int From, int Length) Digits(List<byte> bytes, int at)
    {
        var from = at;
        while (from > 0 && bytes[from - 1] is >= (byte)'0' and <= (byte)'9')
            from--;
        var to = at;
        while (to < bytes.Count && bytes[to] is >= (byte)'0' and <= (byte)'9')
            to++;
        return (from, to - from);
    }
}
