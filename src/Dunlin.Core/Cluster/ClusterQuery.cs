using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Cluster;

/// <summary>Sends queries to all other nodes, for example whether a user is connected to them. Thread-safe.</summary>
/// <remarks>
/// Requests and responses are transient events on an internal topic, so they are best effort. A query waits up to one second for responses
/// and reports unresponsive nodes (<see cref="ClusterAnswer{T}.UnresponsiveNodes"/>). Use it for display and to skip needless work, never
/// for correctness. A node that knows no other node sends nothing and does not wait.
/// </remarks>
public sealed partial class ClusterQuery
{
    private static readonly TopicName Topic = TopicName.Of(AccessPolicies.OwnPrefix, "nodes");
    private static readonly TimeSpan HereInterval = TimeSpan.FromSeconds(3);

    /// <summary>The time without a greeting after which a node is no longer waited for.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(10);

    /// <summary>The time to wait for responses. A node that hangs stays in the list of nodes for some time.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly string _id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly ConcurrentDictionary<string, long> _others = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PendingQuery> _asked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<JsonElement, JsonElement?>> _answers = new(StringComparer.Ordinal);
    private readonly EventFanout _fanout;
    private readonly TimerWheel _wheel;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _lastQuestion;
    private readonly Lock _greeting = new(); // guards _isOver, and that no "here" follows "gone"
    private bool _isOver;

    /// <summary>Creates the service. For the service container.</summary>
    /// <param name="fanout">The fan-out, which carries the requests and responses.</param>
    /// <param name="wheel">The timer wheel for greetings.</param>
    /// <param name="time">The time provider.</param>
    /// <param name="logger">The logger.</param>
    internal ClusterQuery(EventFanout fanout, TimerWheel wheel, TimeProvider time, ILogger<ClusterQuery> logger)
    {
        _fanout = fanout;
        _wheel = wheel;
        _time = time;
        _logger = logger;
        fanout.EventsOf(Topic).Subscribe(OnEvent);
    }

    /// <summary>Gets the number of other nodes that announced themselves in the last 10 seconds.</summary>
    public int Others => Known().Count;

    /// <summary>Gets the id of this node. A restart creates a new one.</summary>
    public string NodeId => _id;

    /// <summary>Gets the ids of the other nodes that announced themselves in the last 10 seconds.</summary>
    public IReadOnlyList<string> OtherNodes => Known();

    /// <summary>Announces this node to the others, now and every 3 seconds until <see cref="End"/>.</summary>
    internal void Begin()
    {
        if (SayHere())
            _wheel.Schedule(new WheelAction(Begin), HereInterval);
    }

    /// <summary>
    /// Announces that this node stops, so that other nodes do not wait for it. The node can still answer and send queries.
    /// </summary>
    internal void End()
    {
        lock (_greeting)
        {
            _isOver = true;
            Say("gone", "", null);
        }
    }

    /// <summary>Registers the handler for requests of one kind.</summary>
    /// <typeparam name="TQuestion">The type of the request, serialised as JSON in camelCase.</typeparam>
    /// <typeparam name="TAnswer">The type of the response, serialised as JSON in camelCase.</typeparam>
    /// <param name="kind">The name of the kind: equal on all nodes and unique in the application, such as
    /// <c>documents.sessions</c>.</param>
    /// <param name="answer">The handler. Must be thread-safe and fast, and must not block. Null adds no answer. If it throws, the error is
    /// logged and this node counts as unresponsive.</param>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public void Answer<TQuestion, TAnswer>(string kind, Func<TQuestion, TAnswer> answer) =>
        Answer(kind, answer, JsonContracts.ByReflection<TQuestion>(), JsonContracts.ByReflection<TAnswer>());

    /// <summary>Registers the handler for requests of one kind, with the application's own contracts.</summary>
    /// <typeparam name="TQuestion">The type of the request.</typeparam>
    /// <typeparam name="TAnswer">The type of the response.</typeparam>
    /// <param name="kind">The name of the kind: equal on all nodes and unique in the application, such as
    /// <c>documents.sessions</c>.</param>
    /// <param name="answer">The handler. Must be thread-safe and fast, and must not block. Null adds no answer. If it throws, the error is
    /// logged and this node counts as unresponsive.</param>
    /// <param name="questionJson">The contract of the request, such as <c>AppJson.Default.String</c>.</param>
    /// <param name="answerJson">The contract of the response.</param>
    public void Answer<TQuestion, TAnswer>(
        string kind,
        Func<TQuestion, TAnswer> answer,
        JsonTypeInfo<TQuestion> questionJson,
        JsonTypeInfo<TAnswer> answerJson
    ) =>
        _answers[kind] = question =>
            answer(question.Deserialize(questionJson)!) is { } given ? JsonSerializer.SerializeToElement(given, answerJson) : null;

    /// <summary>Sends a request to all other nodes and waits up to one second for their responses.</summary>
    /// <typeparam name="TQuestion">The type of the request, serialised as JSON in camelCase.</typeparam>
    /// <typeparam name="TAnswer">The type of the response, serialised as JSON in camelCase.</typeparam>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="question">The request.</param>
    /// <param name="isEnough">Returns whether a response ends the wait because the others do not matter; null waits for all.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The responses that arrived in time, without nulls.</returns>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public Task<ClusterAnswer<IReadOnlyList<TAnswer>>> AskAsync<TQuestion, TAnswer>(
        string kind,
        TQuestion question,
        Func<TAnswer, bool>? isEnough = null,
        CancellationToken cancellationToken = default
    ) =>
        AskAsync(
            kind,
            question,
            JsonContracts.ByReflection<TQuestion>(),
            JsonContracts.ByReflection<TAnswer>(),
            isEnough,
            cancellationToken
        );

    /// <summary>Sends a request to all other nodes, with the application's own contracts, and waits up to one second for their
    /// responses.</summary>
    /// <typeparam name="TQuestion">The type of the request.</typeparam>
    /// <typeparam name="TAnswer">The type of the response.</typeparam>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="question">The request.</param>
    /// <param name="questionJson">The contract of the request, such as <c>AppJson.Default.String</c>.</param>
    /// <param name="answerJson">The contract of the response.</param>
    /// <param name="isEnough">Returns whether a response ends the wait because the others do not matter; null waits for all.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The responses that arrived in time, without nulls.</returns>
    public async Task<ClusterAnswer<IReadOnlyList<TAnswer>>> AskAsync<TQuestion, TAnswer>(
        string kind,
        TQuestion question,
        JsonTypeInfo<TQuestion> questionJson,
        JsonTypeInfo<TAnswer> answerJson,
        Func<TAnswer, bool>? isEnough = null,
        CancellationToken cancellationToken = default
    )
    {
        var others = Known();
        if (others.Count == 0)
            return new([], 0);
        var id = $"{_id}.{Interlocked.Increment(ref _lastQuestion)}";
        var asked = new PendingQuery<TAnswer>(others, isEnough, answerJson);
        _asked[id] = asked;
        try
        {
            Say("asks", id, JsonSerializer.SerializeToElement(question, questionJson), kind);
            await asked.Enough.WaitAsync(Limit, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The result reports the unresponsive nodes.
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
        return asked.Result;
    }

    /// <summary>Returns whether any other node answers true.</summary>
    /// <typeparam name="TQuestion">The type of the request, serialised as JSON in camelCase.</typeparam>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="question">The request.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    [RequiresUnreferencedCode(JsonContracts.NeedsReflection)]
    [RequiresDynamicCode(JsonContracts.NeedsReflection)]
    public Task<ClusterAnswer<bool>> AnyAsync<TQuestion>(string kind, TQuestion question, CancellationToken cancellationToken = default) =>
        AnyAsync(kind, question, JsonContracts.ByReflection<TQuestion>(), cancellationToken);

    /// <summary>Returns whether any other node answers true, with the application's own contract.</summary>
    /// <typeparam name="TQuestion">The type of the request.</typeparam>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="question">The request.</param>
    /// <param name="questionJson">The contract of the request, such as <c>AppJson.Default.Order</c>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<ClusterAnswer<bool>> AnyAsync<TQuestion>(
        string kind,
        TQuestion question,
        JsonTypeInfo<TQuestion> questionJson,
        CancellationToken cancellationToken = default
    )
    {
        var answers = await AskAsync(kind, question, questionJson, ClusterJson.Default.Boolean, static answer => answer, cancellationToken);
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

    private void Say(string verb, string id, JsonElement? data, string? kind = null) =>
        _fanout.PublishTransient(EventDraft.Of(Topic, verb, new OutgoingPacket(_id, id, kind, data), ClusterJson.Default.OutgoingPacket));

    private void OnEvent(DunlinEvent entry)
    {
        if (JsonSerializer.Deserialize(entry.Data.Span, ClusterJson.Default.IncomingPacket) is not { } heard || heard.Node == _id)
            return;
        switch (entry.Type)
        {
            case "here":
                if (_others.TryAdd(heard.Node, _time.GetTimestamp()))
                    Later(() => SayHere()); // the other node may not know this one yet
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

    // A node of another version may send an unknown kind. It then need not wait for this node, which counts as unresponsive.
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
#pragma warning disable CA1031 // the exception would be unhandled on the thread pool
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFailed(exception, kind);
        }
        Say("passes", id, null);
    }

    // Do not run it on the delivering thread.
    private static void Later(Action action) => Background.Queue(static work => work(), action);

    [LoggerMessage(
        1220,
        LogLevel.Error,
        "Answering the cluster query '{Kind}' of another node failed. That node reports this one as unresponsive."
    )]
    private partial void LogFailed(Exception exception, string kind);

    internal sealed record OutgoingPacket(string Node, string Id, string? Kind, JsonElement? Data);

    internal sealed record IncomingPacket(string Node, string Id, string? Kind, JsonElement Data);
}
