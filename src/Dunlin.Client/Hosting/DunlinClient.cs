using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dunlin.Client.Security;
using Dunlin.Client.Streams;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Client;

/// <summary>The client of one user for one server. Thread-safe: create one and share it.</summary>
/// <example>
/// <code>
/// using var client = new DunlinClient(new DunlinClientOptions { Address = new Uri("https://sync.example.com"), Token = token });
/// await foreach (var e in client.SubscribeAsync("teams/7/**", cancellationToken: stopping))
///     Console.WriteLine($"{e.Topic} {e.Type} {e.GetText()}");
/// </code>
/// </example>
public sealed class DunlinClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly bool _ownsHttp;
    private readonly ClientRequests _requests;
    private readonly TokenSource _tokens;
    private readonly Publisher _publisher;
    private readonly ConcurrentDictionary<Subscription, string> _live = new();

    /// <summary>Creates a client with connections of its own.</summary>
    /// <param name="options">The options.</param>
    /// <param name="logger">The logger. Default: null, which writes no log.</param>
    /// <exception cref="ArgumentException">An option has an invalid value.</exception>
    public DunlinClient(DunlinClientOptions options, ILogger<DunlinClient>? logger = null)
        : this(options, NewHttp(), ownsHttp: true, logger) { }

    /// <summary>Creates a client that uses an <see cref="HttpClient"/>, for example of an <c>IHttpClientFactory</c>.</summary>
    /// <param name="options">The options.</param>
    /// <param name="http">The client, which is not disposed. Its handler must not buffer responses or repeat requests.</param>
    /// <param name="logger">The logger. Default: null, which writes no log.</param>
    /// <exception cref="ArgumentException">An option has an invalid value.</exception>
    public DunlinClient(DunlinClientOptions options, HttpClient http, ILogger<DunlinClient>? logger = null)
        : this(options, http, ownsHttp: false, logger) { }

    private DunlinClient(DunlinClientOptions options, HttpClient http, bool ownsHttp, ILogger? logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(http);
        options.Validate();
        (_http, _ownsHttp) = (http, ownsHttp);
        _tokens = new TokenSource(options.GetToken, options.Token);
        _requests = new ClientRequests(http, options, _tokens, logger ?? NullLogger.Instance)
        {
            ConnectionId = () => _live.IsEmpty ? null : _live.Values.FirstOrDefault(),
        };
        _publisher = new Publisher(_requests);
        Leases = new ClientLeases(_requests);
    }

    /// <summary>Gets the leases of this client.</summary>
    public ClientLeases Leases { get; }

    /// <summary>Subscribes to a topic or a pattern.</summary>
    /// <param name="topic">The topic or pattern: <c>*</c> matches one segment, <c>**</c> at the end matches one or more.</param>
    /// <param name="options">The options. Default: null.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    /// <returns>The events in order. See <see cref="SubscribeAsync(IEnumerable{string}, SubscribeOptions?, CancellationToken)"/>.</returns>
    /// <exception cref="DunlinClientException">The server refused the stream for good, or the session has ended.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public IAsyncEnumerable<ReceivedEvent> SubscribeAsync(
        string topic,
        SubscribeOptions? options = null,
        CancellationToken cancellationToken = default
    ) => SubscribeAsync([topic], options, cancellationToken);

    /// <summary>Subscribes to topics and patterns.</summary>
    /// <param name="topics">1 to 64 topics and patterns. An event that several of them match is received once.</param>
    /// <param name="options">The options. Default: null.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    /// <returns>
    /// The events in order. Each enumeration opens a stream, which reconnects and resumes by itself. It contains each event once, and an
    /// item with <see cref="ReceivedEvent.IsReset"/> if events were lost. The client reads no further than the consumer asks for.
    /// </returns>
    /// <exception cref="ArgumentException">The number of topics or an option is invalid.</exception>
    /// <exception cref="DunlinClientException">The server refused the stream for good, or the session has ended.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public IAsyncEnumerable<ReceivedEvent> SubscribeAsync(
        IEnumerable<string> topics,
        SubscribeOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(topics);
        options ??= new SubscribeOptions();
        return ReadAsync(StreamTarget.OfTopics(topics, options), options, cancellationToken);
    }

    /// <summary>Reads an event stream of the application, at an address that <c>MapEventStream</c> mapped.</summary>
    /// <param name="path">Path and query below the address of the client, for example <c>/api/v1/events</c>.</param>
    /// <param name="options">The options. Presence, conflation and echo are parameters of the path instead. Default: null.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    /// <returns>The events in order. Unnamed events have the type <c>message</c>.</returns>
    /// <exception cref="ArgumentException">The path does not begin with a slash.</exception>
    /// <exception cref="DunlinClientException">The server refused the stream for good, or the session has ended.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public IAsyncEnumerable<ReceivedEvent> SubscribePathAsync(
        string path,
        SubscribeOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!path.StartsWith('/'))
            throw new ArgumentException($"The path '{path}' must begin with a slash.", nameof(path));
        return ReadAsync(new StreamTarget(path, null, AwaitsHello: false), options ?? new SubscribeOptions(), cancellationToken);
    }

    /// <summary>Publishes one event.</summary>
    /// <param name="item">The event.</param>
    /// <param name="idempotencyKey">1 to 100 visible ASCII characters. A publish with the same key is carried out once. Default: null,
    /// which creates a key.</param>
    /// <param name="cancellationToken">Stops repeating. The event may have been published.</param>
    /// <returns>The position of the event.</returns>
    /// <exception cref="ArgumentException">The key is invalid.</exception>
    /// <exception cref="DunlinClientException">The server refused the event, or the outcome stayed unknown.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<PublishResult> PublishAsync(
        OutgoingEvent item,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default
    ) => PublishAsync([item ?? throw new ArgumentNullException(nameof(item))], idempotencyKey, cancellationToken);

    /// <summary>Publishes events: all or none. A publish without a known outcome is repeated with the same key.</summary>
    /// <param name="events">1 to 1,000 events.</param>
    /// <param name="idempotencyKey">1 to 100 visible ASCII characters. A publish with the same key is carried out once. Default: null,
    /// which creates a key.</param>
    /// <param name="cancellationToken">Stops repeating. The events may have been published.</param>
    /// <returns>The positions, in order.</returns>
    /// <exception cref="ArgumentException">There is no event, or the key is invalid.</exception>
    /// <exception cref="DunlinClientException">The server refused the events, or the outcome stayed unknown.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<PublishResult> PublishAsync(
        IReadOnlyList<OutgoingEvent> events,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default
    ) => _publisher.PublishAsync(events, idempotencyKey, cancellationToken);

    /// <summary>Returns a page of past events.</summary>
    /// <param name="topic">The topic or pattern.</param>
    /// <param name="after">The position after which the page starts. Default: null, which means the oldest event.</param>
    /// <param name="limit">The largest number of events. Default: null, which means the server's.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<EventPage> GetJournalPageAsync(
        string topic,
        StreamPosition? after = null,
        int? limit = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        var query = new QueryText().Add("topic", topic).Add("after", after?.ToString()).Add("limit", limit);
        var answer = await _requests.GetAsync($"/dunlin/v1/journal{query}", cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.EventPage);
    }

    /// <summary>Returns the users who read a topic.</summary>
    /// <param name="topic">The topic. Patterns are not allowed.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<TopicPresence> GetPresenceAsync(string topic, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        var query = new QueryText().Add("topic", topic);
        var answer = await _requests.GetAsync($"/dunlin/v1/presence{query}", cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.TopicPresence);
    }

    /// <summary>Returns the caller's open streams, and totals if the caller is an administrator.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<ServerStats> GetStatsAsync(CancellationToken cancellationToken = default)
    {
        var answer = await _requests.GetAsync("/dunlin/v1/stats", cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.ServerStats);
    }

    /// <summary>Returns the open streams of a user. The caller must be an administrator.</summary>
    /// <param name="userId">The user id.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<UserConnections> GetConnectionsAsync(string userId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        var query = new QueryText().Add("user", userId);
        var answer = await _requests.GetAsync($"/dunlin/v1/connections{query}", cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.UserConnections);
    }

    /// <summary>Revokes the tokens of a user or a session, and ends the streams. The caller must be an administrator.</summary>
    /// <param name="revocation">The user, and optionally the session.</param>
    /// <param name="cancellationToken">Cancels the request. The revocation may have been carried out.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<UserRevoked> RevokeAsync(UserRevocation revocation, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(revocation);
        var type = ClientJson.Default.UserRevocation;
        var answer = await _requests
            .SendJsonAsync(HttpMethod.Post, "/dunlin/v1/revocations", revocation, type, cancellationToken)
            .ConfigureAwait(false);
        return answer.Read(ClientJson.Default.UserRevoked);
    }

    /// <summary>Returns a ticket that opens one stream as the caller, for a browser that cannot send headers.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DunlinClientException">The request was refused or failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<StreamTicket> CreateTicketAsync(CancellationToken cancellationToken = default)
    {
        var path = _requests.Options.TicketPath;
        var answer = await _requests.SendAsync(HttpMethod.Post, path, null, null, cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.StreamTicket);
    }

    /// <summary>Closes the connections that the client created. End subscriptions and release leases before.</summary>
    public void Dispose()
    {
        if (_ownsHttp)
            _http.Dispose();
        _tokens.Dispose();
    }

    private async IAsyncEnumerable<ReceivedEvent> ReadAsync(
        StreamTarget target,
        SubscribeOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var subscription = new Subscription(_requests, target, options, OnState);
        await using (subscription.ConfigureAwait(false))
        {
            while (true)
                yield return await subscription.NextAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void OnState(Subscription subscription, ConnectionState state)
    {
        if (state.Status != ConnectionStatus.Live)
        {
            _live.TryRemove(subscription, out _);
            return;
        }
        if (state.ConnectionId is not null)
            _live[subscription] = state.ConnectionId;
        // The server releases the leases of a lost connection after a grace period. A renewal attaches them to the new connection.
        Leases.Check();
    }

    private static HttpClient NewHttp() => new(ClientHandler.Create()) { Timeout = Timeout.InfiniteTimeSpan };
}
