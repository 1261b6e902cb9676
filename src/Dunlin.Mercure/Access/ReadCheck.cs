using Dunlin.Journal;
using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Subscriptions;
using Dunlin.Topics;

namespace Dunlin.Mercure.Access;

/// <summary>Decides whether a reader may receive a private update. Takes no lock and allocates nothing. Thread-safe.</summary>
/// <remarks>
/// The last topic that a grant matched is recognised by reference (see <see cref="RecentTopics"/>). With 1,000 readers of one topic, the
/// grants of each are then not in the processor's cache, and reading them would cost more than the rest of the check.
/// </remarks>
internal sealed class ReadCheck
{
    private readonly SelectorKind _kind;
    private readonly bool _allowsAll;
    private readonly HashSet<string> _exact;
    private readonly TopicMatcher[] _others;
    private Topic? _lastMatched; // grants never change, so a topic that matched once always matches

    public ReadCheck(MercureGrants grants, SelectorKind kind)
    {
        _kind = kind;
        var matchers = grants.Subscribe.Select(static grant => grant.Matcher).ToList();
        _allowsAll = matchers.Any(static matcher => matcher is AnyTopic);
        _exact = matchers.OfType<ExactMatcher>().Select(static matcher => matcher.Text).ToHashSet(StringComparer.Ordinal);
        _others = [.. matchers.Where(static matcher => matcher is not (ExactMatcher or AnyTopic))];
    }

    /// <summary>Returns whether a grant matches one of the topics.</summary>
    public bool MayRead(DunlinEvent update)
    {
        if (_allowsAll)
            return true;
        var views = update.ViewsOf(_kind);
        var last = Volatile.Read(ref _lastMatched);
        for (var i = 0; i < views.Count; i++)
        {
            var topic = ((MercureTopicView)views[i]).Topic;
            if (ReferenceEquals(topic, last))
                return true;
            if (!IsGranted(topic))
                continue;
            Volatile.Write(ref _lastMatched, topic);
            return true;
        }
        return false;
    }

    private bool IsGranted(Topic topic)
    {
        if (_exact.Contains(topic.Text))
            return true;
        foreach (var matcher in _others)
        {
            if (matcher.IsMatch(topic))
                return true;
        }
        return false;
    }
}
