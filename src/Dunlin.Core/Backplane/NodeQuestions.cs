using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Backplane;

/// <summary>
/// What one node asks the others: is this user connected to you, how many streams have you? Questions and answers are transient
/// events on an internal topic, so they are best effort: who does not answer in time counts as one who has nothing to say. Use
/// it for what is shown and for kindness (a grace that another node's connection ends), never for safety. A node that has
/// heard of no other asks nobody and waits for nothing. Safe for concurrent use.
/// </summary>
public sealed class NodeQuestions
{
    private static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "nodes");
    private static readonly TimeSpan HereInterval = TimeSpan.FromSeconds(3);

    /// <summary>A node that has been silent for so long is not waited for.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(10);

    /// <summary>How long an answer is waited for: a node that stands still is in the list for a while.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly string _id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly ConcurrentDictionary<string, long> _others = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Asked> _asked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<JsonElement, object?>> _answers = new(StringComparer.Ordinal);
    private readonly EventFanout _fanout;
    private readonly TimerWheel _wheel;
    private readonly TimeProvider _time;
    private long _lastQuestion;

    /// <summary>Made by the container.</summary>
    public NodeQuestions(EventFanout fanout, TimerWheel wheel, TimeProvider time)
    {
        _fanout = fanout;
        _wheel = wheel;
        _time = time;
        fanout.Listen(Topic, OnEvent);
    }

    /// <summary>Other nodes that were heard of lately.</summary>
    public int Others
    {
        get
        {
            foreach (var (node, heard) in _others)
            {
                if (_time.GetElapsedTime(heard) > ForgetAfter)
                    _others.TryRemove(new KeyValuePair<string, long>(node, heard));
            }
            return _others.Count;
        }
    }

    /// <summary>Lets this node be known, now and every few seconds.</summary>
    public void Begin()
    {
        Say("here", "", null);
        _wheel.Schedule(new WheelAction(Begin), HereInterval);
    }

    /// <summary>Answers questions of one kind, on any thread, quickly and without blocking. Null says nothing.</summary>
    public void Answer(string kind, Func<JsonElement, object?> answer) => _answers[kind] = answer;

    /// <summary>Asks all other nodes.</summary>
    /// <returns>Their answers, as far as they came in time.</returns>
    public async Task<IReadOnlyList<JsonElement>> AskAsync<T>(string kind, T question, Func<JsonElement, bool>? isEnough = null)
    {
        var others = Others;
        if (others == 0)
            return [];
        var id = $"{_id}.{Interlocked.Increment(ref _lastQuestion)}";
        var asked = _asked[id] = new Asked(others, isEnough);
        try
        {
            Say("asks", id, question, kind);
            await Task.WhenAny(asked.Enough, Task.Delay(Limit, _time));
            return asked.Answers;
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
    }

    /// <summary>Whether any other node answers true.</summary>
    public async Task<bool> AnyAsync<T>(string kind, T question) =>
        (await AskAsync(kind, question, static answer => answer.ValueKind == JsonValueKind.True)).Any(static answer => answer.ValueKind == JsonValueKind.True);

    private void Say(string verb, string id, object? data, string? kind = null) =>
        _fanout.PublishTransient(EventDraft.Of(Topic, verb, new Saying(_id, id, kind, data)));

    private void OnEvent(Event entry)
    {
        if (JsonSerializer.Deserialize<Heard>(entry.Data.Span, JsonSerializerOptions.Web) is not { } heard || heard.Node == _id)
            return;
        var isNew = !_others.ContainsKey(heard.Node);
        _others[heard.Node] = _time.GetTimestamp();
        switch (entry.Type)
        {
            case "here" when isNew:
                // It may not have heard of this one yet.
                Later(() => Say("here", "", null));
                break;
            case "asks" when heard.Kind is { } kind:
                Later(() => Say("answers", heard.Id, _answers.TryGetValue(kind, out var answer) ? answer(heard.Data) : null));
                break;
            case "answers" when _asked.TryGetValue(heard.Id, out var asked):
                asked.Add(heard.Data);
                break;
            default:
                break;
        }
    }

    // Not on the thread that delivers.
    private static void Later(Action action) => ThreadPool.UnsafeQueueUserWorkItem(static work => work(), action, preferLocal: false);

    private sealed record Saying(string Node, string Id, string? Kind, object? Data);

    private sealed record Heard(string Node, string Id, string? Kind, JsonElement Data);

    private sealed class Asked(int expected, Func<JsonElement, bool>? isEnough)
    {
        private readonly Lock _gate = new();   // guards _answers
        private readonly List<JsonElement> _answers = [];
        private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Enough => _enough.Task;

        public IReadOnlyList<JsonElement> Answers
        {
            get
            {
                lock (_gate)
                    return [.. _answers.Where(answer => answer.ValueKind is not JsonValueKind.Null and not JsonValueKind.Undefined)];
            }
        }

        public void Add(JsonElement answer)
        {
            lock (_gate)
            {
                _answers.Add(answer);
                if (_answers.Count < expected && isEnough?.Invoke(answer) is not true)
                    return;
            }
            _enough.TrySetResult();
        }
    }
}
