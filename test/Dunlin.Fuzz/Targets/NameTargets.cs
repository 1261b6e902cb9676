using System.Text;
using Dunlin.Client;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams;
using Dunlin.DurableStreams.Wire;
using Dunlin.Fuzz.Engine;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Fuzz.Targets;

/// <summary>Positions, topics and patterns.</summary>
internal static class NameTargets
{
    private static readonly Position Head = new(0x2a, 1_000);

    public static FuzzTarget Positions() =>
        new ParserTarget(
            "positions",
            ReadPositions,
            "Dunlin.Journal.Position",
            "Dunlin.Client.StreamPosition",
            "Dunlin.DurableStreams.Wire.StreamOffset",
            "Dunlin.DurableStreams.Wire.StreamCursor"
        )
        {
            Words = ["0000002a-", "ffffffff-9223372036854775807", "0000000000000042_", "0000000000000000", "-1", "now", "_", "-"],
            MaxLength = 64,
        };

    public static FuzzTarget Topics() =>
        new ParserTarget(
            "topics",
            ReadTopics,
            "Dunlin.Topics.TopicName",
            "Dunlin.Topics.TopicPattern",
            "Dunlin.Topics.ResourceName",
            "Dunlin.Topics.NamePrefix",
            "Dunlin.DurableStreams.StreamGlob"
        )
        {
            Words = ["*", "**", "/", "/*/", "/**", "a/b", "teams/7", "%2F", "#", "\n", "~", "$", "a"],
            MaxLength = 512,
        };

    private static void ReadPositions(byte[] input)
    {
        var text = Encoding.Latin1.GetString(input);
        if (Position.TryParse(text, out var position))
        {
            FindingException.Require(position.ToString() == text, "position has two texts", $"'{text}' is read as '{position}'");
            var bytes = new byte[Position.MaxLength];
            var length = position.Format(bytes);
            FindingException.Require(bytes.AsSpan(0, length).SequenceEqual(input), "position is formatted differently", text);
            FindingException.Require(
                new StreamPosition(text).TryGetOffset(out var epoch, out var offset)
                    && (epoch, offset) == (position.Epoch, position.Offset),
                "client reads another position",
                text
            );
        }
        else if (text.Length > 0 && StreamPosition.IsHeaderSafe(text))
        {
            FindingException.Require(!new StreamPosition(text).TryGetOffset(out _, out _), "client reads what the server refuses", text);
        }
        try
        {
            if (StreamOffset.Find(text, Head, "offset") is >= 0 and var offset)
                FindingException.Require(StreamOffset.Format(Head.Epoch, offset) == text, "offset has two texts", text);
        }
        catch (DunlinException)
        {
            // Refused.
        }
        var now = DateTimeOffset.UnixEpoch.AddYears(57);
        var cursor = StreamCursor.After(text, now);
        FindingException.Require(
            long.Parse(cursor, System.Globalization.CultureInfo.InvariantCulture) >= StreamCursor.At(now),
            "cursor",
            text
        );
        FindingException.Require(StreamCursor.LeadOf(text, now) >= 0, "lead of a cursor", text);
    }

    private static void ReadTopics(byte[] input)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n');
        var name = lines[^1];
        var isName = TopicName.TryParse(name, out var topic);
        FindingException.Require(isName == ResourceName.TryParse(name, out _), "topics and resources differ", name);
        var joined = TopicName.Join(lines);
        if (lines.All(static line => line.Length > 0) && joined.Length <= TopicName.MaxLength)
            FindingException.Require(TopicName.TryParse(joined, out _), "joined segments are no name", joined);
        var patterns = lines
            .Select(static line => TopicPattern.TryParse(line, out var pattern) ? pattern : null)
            .OfType<TopicPattern>()
            .ToList();
        foreach (var pattern in patterns)
        {
            FindingException.Require(TopicPattern.Parse(pattern.Text).Equals(pattern), "pattern has two texts", pattern.Text);
            if (isName)
                CheckCover(pattern, name);
            foreach (var other in patterns)
                CheckAll(pattern, other, isName ? name : null);
        }
        if (isName && StreamGlob.Of("streams", lines[0]) is { } glob && TopicName.TryParse($"streams/{name}", out topic))
        {
            var expected = Matches(glob.Text.Split('/'), topic.Value.Split('/'));
            FindingException.Require(glob.Matches(topic) == expected, "glob matches otherwise than defined", $"{glob.Text} {topic}");
        }
    }

    private static void CheckCover(TopicPattern pattern, string name)
    {
        var covers = pattern.Covers(name);
        FindingException.Require(covers == Covers(pattern.Text, name), "pattern covers otherwise than defined", $"{pattern} {name}");
        if (!covers)
            return;
        var (from, to) = pattern.Range;
        var isInRange = string.CompareOrdinal(name, from) >= 0 && string.CompareOrdinal(name, to) < 0;
        FindingException.Require(isInRange, "covered name outside of the range", $"{pattern} {name}");
        var isBelow =
            pattern.Prefix.Length == 0 || name == pattern.Prefix || name.StartsWith(pattern.Prefix + "/", StringComparison.Ordinal);
        FindingException.Require(isBelow, "covered name without the prefix", $"{pattern} {name}");
        FindingException.Require(pattern.Meets(name), "covered name does not meet", $"{pattern} {name}");
    }

    private static void CheckAll(TopicPattern pattern, TopicPattern other, string? name)
    {
        var coversAll = pattern.CoversAll(other);
        FindingException.Require(coversAll || !pattern.Equals(other), "pattern does not cover itself", pattern.Text);
        if (coversAll && name is not null && other.Covers(name))
            FindingException.Require(pattern.Covers(name), "pattern does not cover what it covers all of", $"{pattern} {other} {name}");
    }

    private static bool Covers(string pattern, string name)
    {
        var (wanted, given) = (pattern.Split('/'), name.Split('/'));
        var hasRest = wanted[^1] == "**";
        return (hasRest ? given.Length >= wanted.Length : given.Length == wanted.Length)
            && Enumerable.Range(0, wanted.Length - (hasRest ? 1 : 0)).All(i => wanted[i] == "*" || wanted[i] == given[i]);
    }

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> name)
    {
        if (pattern.IsEmpty)
            return name.IsEmpty;
        if (pattern[0] == "**")
            return Matches(pattern[1..], name) || (!name.IsEmpty && Matches(pattern, name[1..]));
        return !name.IsEmpty && (pattern[0] == "*" || pattern[0] == name[0]) && Matches(pattern[1..], name[1..]);
    }
}
