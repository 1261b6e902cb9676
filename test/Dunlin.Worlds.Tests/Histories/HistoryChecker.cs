using System.Globalization;

namespace Dunlin.Worlds.Tests.Histories;

/// <summary>Five numbers of a run.</summary>
internal sealed record Figures(int Acknowledged, int Unknown, int Delivered, int Resets, int Grants)
{
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Acknowledged} acknowledged, {Unknown} unknown, {Delivered} delivered, {Resets} resets, {Grants} lease grants"
        );
}

/// <summary>Checks a history against the guarantees G1, G2 and G3. One checker for all worlds.</summary>
internal static class HistoryChecker
{
    private const int Shown = 20;

    public static Figures Count(History history) =>
        new(
            history.Writes.Count(write => write.Outcome == Outcome.Acknowledged),
            history.Writes.Count(write => write.Outcome == Outcome.Unknown),
            history.Readers.Values.Sum(reader => reader.OfType<SeenEvent>().Count()),
            history.Readers.Values.Sum(reader => reader.OfType<SeenReset>().Count()),
            history.Grants.Count
        );

    /// <summary>Returns one line for each broken rule and event; the first twenty of each rule.</summary>
    public static IReadOnlyList<string> Check(History history)
    {
        (string Rule, IEnumerable<string> Broken)[] rules =
        [
            ("answers", history.Faults),
            ("acknowledged events reach each reader", Missing(history)),
            ("an event is delivered once", Repeated(history)),
            ("a reader's positions grow", Backwards(history)),
            ("a position has one event", Reused(history)),
            ("an event has one position in an epoch", Moved(history)),
            ("only published events exist", Invented(history)),
            ("a refused event does not exist", Returned(history)),
            ("tokens grow", Tokens(history)),
            ("a former holder cannot write", LateWrites(history)),
            ("writes are in the order of their tokens", WriteOrder(history)),
            ("a resource has one holder", Holders(history)),
        ];
        return [.. rules.SelectMany(rule => rule.Broken.Take(Shown).Select(text => $"{rule.Rule}: {text}"))];
    }

    // A reader must have an event unless its stream began later or the server sent a reset over its position.
    private static IEnumerable<string> Missing(History history)
    {
        foreach (var (name, log) in history.Readers)
        {
            var seen = Events(log).Select(seen => seen.At).ToHashSet();
            var spans = Spans(log);
            foreach (var write in history.Writes)
            {
                if (
                    write.At is { } at
                    && !seen.Contains(at)
                    && spans.Any(span => span.Epoch == at.Epoch && span.From < at.Offset && at.Offset <= span.To)
                )
                    yield return $"{name} misses {write.Id} at {at}";
            }
        }
    }

    /// <summary>Returns the parts of the journal that a reader must have: from each start or reset to the last event before the
    /// next.</summary>
    private static List<(string Epoch, long From, long To)> Spans(List<Seen> log)
    {
        var spans = new List<(string, long, long)>();
        Place? from = null;
        var last = 0L;
        foreach (var seen in log)
        {
            if (seen is not SeenEvent)
            {
                if (from is { } begun)
                    spans.Add((begun.Epoch, begun.Offset, last));
                from = seen.At;
            }
            last = seen.At.Offset;
        }
        if (from is { } open)
            spans.Add((open.Epoch, open.Offset, long.MaxValue));
        return spans;
    }

    private static IEnumerable<string> Repeated(History history) =>
        from reader in history.Readers
        from same in Events(reader.Value).GroupBy(seen => seen.At)
        where same.Count() > 1
        select $"{reader.Key} has {same.Key} {same.Count()} times";

    // A reset may go back: the server tells the reader to load the state again.
    private static IEnumerable<string> Backwards(History history)
    {
        foreach (var (name, log) in history.Readers)
        {
            Place? last = null;
            foreach (var seen in log)
            {
                if (seen is SeenEvent && last is { } before && (seen.At.Epoch != before.Epoch || seen.At.Offset <= before.Offset))
                    yield return $"{name} has {seen.At} after {before}";
                last = seen.At;
            }
        }
    }

    private static IEnumerable<string> Reused(History history)
    {
        var seen = history.Readers.Values.SelectMany(Events).Select(seen => (seen.At, Content: seen.Id ?? $"{seen.Type} {seen.Token}"));
        var acknowledged = history.Writes.Where(write => write.At is not null).Select(write => (At: write.At!.Value, Content: write.Id));
        return from place in seen.Concat(acknowledged).Distinct().GroupBy(pair => pair.At)
            where place.Count() > 1
            select $"{place.Key} is {string.Join(" and ", place.Select(pair => pair.Content))}";
    }

    private static IEnumerable<string> Moved(History history)
    {
        var seen = history.Readers.Values.SelectMany(Events).Where(seen => seen.Id is not null).Select(seen => (Id: seen.Id!, seen.At));
        var acknowledged = history.Writes.Where(write => write.At is not null).Select(write => (write.Id, At: write.At!.Value));
        return from same in seen.Concat(acknowledged).Distinct().GroupBy(pair => (pair.Id, pair.At.Epoch))
            where same.Count() > 1
            select $"{same.Key.Id} is at {string.Join(" and ", same.Select(pair => pair.At))}";
    }

    private static IEnumerable<string> Invented(History history)
    {
        var known = history.Writes.Select(write => write.Id).ToHashSet(StringComparer.Ordinal);
        return from seen in Distinct(history) where seen.Id is not null && !known.Contains(seen.Id) select $"{seen.Id} at {seen.At}";
    }

    private static IEnumerable<string> Returned(History history)
    {
        var refused = history.Writes.Where(write => write.Outcome == Outcome.Refused).Select(write => write.Id);
        var gone = refused.ToHashSet(StringComparer.Ordinal);
        return from seen in Distinct(history) where seen.Id is not null && gone.Contains(seen.Id) select $"{seen.Id} at {seen.At}";
    }

    // A grant that was requested after the answer of another one has the larger token.
    private static IEnumerable<string> Tokens(History history)
    {
        foreach (var same in history.Grants.GroupBy(grant => grant.Token))
        {
            if (same.Select(grant => grant.LeaseId).Distinct(StringComparer.Ordinal).Count() > 1)
                yield return $"token {same.Key} was granted to {string.Join(" and ", same.Select(grant => grant.LeaseId))}";
        }
        foreach (var of in history.Grants.GroupBy(grant => grant.Resource, StringComparer.Ordinal))
        {
            foreach (var later in of)
            {
                var earlier = of.FirstOrDefault(grant => grant.Answered < later.Asked && grant.Token > later.Token);
                if (earlier is not null)
                    yield return $"{of.Key}: token {later.Token} was granted after {earlier.Token}";
            }
        }
    }

    // The request was sent after the answer of a newer grant, or of the release of its own. A store that went back knows neither.
    private static IEnumerable<string> LateWrites(History history)
    {
        bool IsBefore(TimeSpan answered, TimeSpan asked) =>
            answered < asked && !(history.WentBack is { } back && answered <= back && back <= asked);

        var acknowledged = history.Writes.Where(write => write.Outcome == Outcome.Acknowledged).Select(write => write.Id);
        var stored = acknowledged.ToHashSet(StringComparer.Ordinal);
        foreach (var write in history.Guarded.Where(write => stored.Contains(write.Id)))
        {
            var grants = history.Grants.Where(grant => grant.Resource == write.Resource && grant.Token > write.Token);
            if (grants.Any(grant => IsBefore(grant.Answered, write.Asked)))
                yield return $"{write.Id} with token {write.Token} came after a newer grant of {write.Resource}";
            if (history.Releases.Any(release => release.Token == write.Token && IsBefore(release.Answered, write.Asked)))
                yield return $"{write.Id} with token {write.Token} came after its release";
        }
    }

    private static IEnumerable<string> WriteOrder(History history)
    {
        foreach (var of in Distinct(history).Where(seen => seen is { Id: not null, Token: > 0 }).GroupBy(Key))
        {
            var last = 0L;
            foreach (var seen in of.OrderBy(seen => seen.At.Offset))
            {
                if (seen.Token < last)
                    yield return $"{seen.Id} at {seen.At} with token {seen.Token} follows a write with {last}";
                last = Math.Max(last, seen.Token);
            }
        }
    }

    // The lease events of a reader that missed none: a grant follows the end of the last grant, in the order of the journal.
    private static IEnumerable<string> Holders(History history)
    {
        foreach (var (name, log) in history.Readers)
        {
            var holding = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var seen in log)
            {
                if (seen is not SeenEvent { Resource: { } resource } change)
                {
                    if (seen is not SeenEvent)
                        holding.Clear();
                    continue;
                }
                if (change.Type == "lease.granted")
                {
                    if (holding.TryGetValue(resource, out var holder) && holder != change.Token)
                        yield return $"{name}: {resource} was granted with {change.Token} at {change.At} while {holder} held it";
                    holding[resource] = change.Token;
                }
                else if (change.Type == "lease.released")
                {
                    holding.Remove(resource);
                }
                else if (change.Id is not null && holding.TryGetValue(resource, out var holder) && holder != change.Token)
                {
                    yield return $"{name}: {change.Id} wrote with {change.Token} at {change.At} while {holder} held {resource}";
                }
            }
        }
    }

    private static (string? Resource, string Epoch) Key(SeenEvent seen) => (seen.Resource, seen.At.Epoch);

    private static IEnumerable<SeenEvent> Events(List<Seen> log) => log.OfType<SeenEvent>();

    private static IEnumerable<SeenEvent> Distinct(History history) => history.Readers.Values.SelectMany(Events).Distinct();
}
