using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Cluster;

/// <summary>
/// What one node asks the others: is this user connected to you, how many streams have you? Questions and answers are transient
/// events on an internal topic, so they are best effort: an answer is waited for a second, and who has not answered is told of
/// (<see cref="ClusterAnswer{T}.UnresponsiveNodes"/>). Use it for what is shown and for kindness (a grace that another node's connection
/// ends), never for safety. A node that has heard of no other asks nobody and waits for nothing. Safe for concurrent use.
/// </summary>
public sealed partial class ClusterQuery
{
    private static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "nodes");
    private static readonly TimeSpan HereInterval = TimeSpan.FromSeconds(3);

    /// <summary>A node that has been silent for so long is not waited for.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(10);

    /// <summary>How long an answer is waited for: a node that stands still is in the list for a while.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly string _id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly ConcurrentDictionary<string, long> _others = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PendingQuery> _asked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<JsonElement, object?>> _answers = new(StringComparer.Ordinal);
    private readonly EventFanout _fanout;
    private readonly TimerWheel _wheel;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _lastQuestion;
    private readonly Lock _greeting = new(); // guards _isOver, and that nothing is said of being here after having said goodbye
    private bool _isOver;

    /// <summary>Made by the container.</summary>
    public ClusterQuery(EventFanout fanout, TimerWheel wheel, TimeProvider time, ILogger<ClusterQuery> logger)
    {
        _fanout = fanout;
        _wheel = wheel;
        _time = time;
        _logger = logger;
        fanout.EventsOf(Topic).Subscribe(OnEvent);
    }

    /// <summary>Other nodes that were heard of lately.</summary>
    public int Others => Known().Count;

    /// <summary>Lets this node be known, now and every few seconds.</summary>
    public void Begin()
    {
        if (SayHere())
            _wheel.Schedule(new WheelAction(Begin), HereInterval);
    }

    /// <summary>Tells the others that this node goes, so that nobody waits for it. It still answers and may ask.</summary>
    public void End()
    {
        lock (_greeting)
        {
            _isOver = true;
            Say("gone", "", null);
        }
    }

    /// <summary>Answers questions of one kind, from now on.</summary>
    /// <param name="kind">Names it: the same on all nodes, and of one part of the application alone, such as
    /// <c>documents.sessions</c>.</param>
    /// <param name="answer">Called on any thread, also concurrently; quick and without blocking. What it returns travels as JSON
    /// in web style; null says nothing. One that throws is logged, and this node counts as silent.</param>
    public void Answer<TQuestion, TAnswer>(string kind, Func<TQuestion, TAnswer> answer) =>
        _answers[kind] = question => answer(question.Deserialize<TQuestion>(JsonSerializerOptions.Web)!);

    /// <summary>Asks all other nodes.</summary>
    /// <param name="kind">The kind of question.</param>
    /// <param name="question">Travels as JSON in web style.</param>
    /// <param name="isEnough">Ends the waiting at an answer after which the others do not matter.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Their answers, as far as they came in time; nulls are left out.</returns>
    public async Task<ClusterAnswer<IReadOnlyList<TAnswer>>> AskAsync<TQuestion, TAnswer>(
        string kind,
        TQuestion question,
        Func<TAnswer, bool>? isEnough = null,
        CancellationToken cancellationToken = default
    )
    {
        var others = Known();
        if (others.Count == 0)
            return new([], 0);
        var id = $"{_id}.{Interlocked.Increment(ref _lastQuestion)}";
        var asked = new PendingQuery<TAnswer>(others, isEnough);
        _asked[id] = asked;
        try
        {
            Say("asks", id, question, kind);
            await asked.Enough.WaitAsync(Limit, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Whoever is missing is told of.
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
        return asked.Result;
    }

    /// <summary>Whether any other node answers true.</summary>
    public async Task<ClusterAnswer<bool>> AnyAsync<TQuestion>(
        string kind,
        TQuestion question,
        CancellationToken cancellationToken = default
    )
    {
        var answers = await AskAsync<TQuestion, bool>(kind, question, static answer => answer, cancellationToken);
        return new(answers.Value.Contains(true), answers.UnresponsiveNodes);
    }

    private List<string> Known()
    {
        foreach (var (node, heard) in _others)
        {
            if (_time.GetElapsedTime(heard) > ForgetAfter)
                _others.TryRemove(new KeyValuePair<string, long>(node, heard));
        }
        return [.. _others.Keys];
    }

    private bool SayHere()
    {
        lock (_greeting)
        {
            if (!_isOver)
                Say("here", "", null);
            return !_isOver;
        }
    }

    private void Say(string verb, string id, object? data, string? kind = null) =>
        _fanout.PublishTransient(EventDraft.Of(Topic, verb, new OutgoingPacket(_id, id, kind, data)));

    private void OnEvent(DunlinEvent entry)
    {
        if (JsonSerializer.Deserialize<IncomingPacket>(entry.Data.Span, JsonSerializerOptions.Web) is not { } heard || heard.Node == _id)
            return;
        switch (entry.Type)
        {
            case "here":
                if (_others.TryAdd(heard.Node, _time.GetTimestamp()))
                    Later(() => SayHere()); // It may not have heard of this one yet.
                else
                    _others[heard.Node] = _time.GetTimestamp();
                break;
            case "gone":
                _others.TryRemove(heard.Node, out _);
                break;
            case "asks" when heard.Kind is { } kind:
                Later(() => Reply(heard.Id, kind, heard.Data));
                break;
            case "answers" when _asked.TryGetValue(heard.Id, out var asked):
                asked.Add(heard.Node, heard.Data);
                break;
            case "passes" when _asked.TryGetValue(heard.Id, out var asked):
                asked.AddUnsupported();
                break;
            default:
                break;
        }
    }

    // A node of another version may ask what this one has never heard of: then it need not be waited for, and has not answered.
    private void Reply(string id, string kind, JsonElement question)
    {
        try
        {
            if (_answers.TryGetValue(kind, out var answer))
            {
                Say("answers", id, answer(question));
                return;
            }
        }
#pragma warning disable CA1031 // on a thread of the pool nobody else would catch it
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFailed(exception, kind);
        }
        Say("passes", id, null);
    }

    // Not on the thread that delivers.
    private static void Later(Action action) => ThreadPool.UnsafeQueueUserWorkItem(static work => work(), action, preferLocal: false);

    [LoggerMessage(1220, LogLevel.Error, "The question '{Kind}' of another node could not be answered.")]
    private partial void LogFailed(Exception exception, string kind);

    private sealed record OutgoingPacket(string Node, string Id, string? Kind, object? Data);

    private sealed record IncomingPacket(string Node, string Id, string? Kind, JsonElement Data);
}
