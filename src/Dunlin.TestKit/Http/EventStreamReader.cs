using System.Net.ServerSentEvents;

namespace Dunlin.TestKit;

/// <summary>
/// Reads an open event stream with .NET's parser. A test takes the events one by one (<see cref="NextAsync()"/>), or waits until those that
/// have come satisfy a condition (<see cref="WhenAsync"/>). A wait fails with the events that came after 30 seconds, or when the stream has
/// ended. For one test at a time.
/// </summary>
/// <typeparam name="T">What the test makes of an event.</typeparam>
public sealed class EventStreamReader<T> : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient? _client;
    private readonly Func<SseItem<string>, T> _read;
    private readonly Func<SseItem<string>, bool> _isWanted;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new(); // guards the fields below
    private readonly List<T> _received = [];
    private readonly List<string?> _ids = []; // of the received events
    private readonly List<(Func<IReadOnlyList<T>, bool> Condition, TaskCompletionSource Met)> _waiting = [];
    private int _handedOut;
    private bool _hasEnded;

    private EventStreamReader(
        HttpClient? client,
        HttpResponseMessage response,
        Stream stream,
        Func<SseItem<string>, T> read,
        Func<SseItem<string>, bool>? isWanted
    )
    {
        _client = client;
        _read = read;
        _isWanted = isWanted ?? (static _ => true);
        Response = response;
        Ended = ReadAsync(stream);
    }

    /// <summary>The answer that is read.</summary>
    public HttpResponseMessage Response { get; }

    /// <summary>The server's id of the connection.</summary>
    public string ConnectionId => Response.Headers.GetValues("Dunlin-Connection").Single();

    /// <summary>Completes when the stream has ended.</summary>
    public Task Ended { get; }

    /// <summary>Whether the stream is still open.</summary>
    public bool IsOpen => !Ended.IsCompleted;

    /// <summary>The events handed out so far.</summary>
    public IReadOnlyList<T> Seen
    {
        get
        {
            lock (_gate)
                return _received[.._handedOut];
        }
    }

    /// <summary>All events that have come, also those that were not handed out yet.</summary>
    public IReadOnlyList<T> Received
    {
        get
        {
            lock (_gate)
                return [.. _received];
        }
    }

    /// <summary>Events that have come and were not asked for yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _received.Count - _handedOut;
        }
    }

    /// <summary>The id of the last event handed out that had one.</summary>
    public string? LastId
    {
        get
        {
            lock (_gate)
                return _ids[.._handedOut].FindLast(static id => !string.IsNullOrEmpty(id));
        }
    }

    /// <summary>Begins to read. The reader owns them from here on.</summary>
    /// <param name="client">What asked, disposed with the reader; null where others go on using it.</param>
    /// <param name="response">The answer, whose head has come.</param>
    /// <param name="read">What the test makes of an event.</param>
    /// <param name="isWanted">Which events are read; null for all.</param>
    public static async Task<EventStreamReader<T>> OpenAsync(
        HttpClient? client,
        HttpResponseMessage response,
        Func<SseItem<string>, T> read,
        Func<SseItem<string>, bool>? isWanted = null
    ) => new(client, response, await response.Content.ReadAsStreamAsync(), read, isWanted);

    /// <summary>The next event.</summary>
    public async Task<T> NextAsync()
    {
        await WhenAsync(received => received.Count > _handedOut);
        lock (_gate)
            return _received[_handedOut++];
    }

    /// <summary>The next events.</summary>
    public async Task<List<T>> NextAsync(int count)
    {
        var events = new List<T>();
        while (events.Count < count)
            events.Add(await NextAsync());
        return events;
    }

    /// <summary>Reads until an event that is looked for.</summary>
    public async Task<T> UntilAsync(Func<T, bool> isLookedFor)
    {
        while (true)
        {
            var next = await NextAsync();
            if (isLookedFor(next))
                return next;
        }
    }

    /// <summary>Waits until the events that have come satisfy a condition. It takes none of them.</summary>
    public async Task WhenAsync(Func<IReadOnlyList<T>, bool> condition)
    {
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (condition(_received))
                return;
            if (_hasEnded)
                met.SetException(new EndOfStreamException("The stream has ended."));
            else
                _waiting.Add((condition, met));
        }
        try
        {
            await met.Task.WaitAsync(Patience);
        }
        catch (Exception error) when (error is TimeoutException or EndOfStreamException)
        {
            throw new InvalidOperationException($"No event that is waited for after: {string.Join(" | ", Received)}", error);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The reading ends first: a response that is disposed under a read can throw anything.
        await _ending.CancelAsync();
        await Ended.WaitAsync(Patience);
        Response.Dispose();
        _client?.Dispose();
        _ending.Dispose();
    }

    private async Task ReadAsync(Stream stream)
    {
        try
        {
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(_ending.Token))
            {
                if (_isWanted(item))
                    Add(item.EventId, _read(item));
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException or HttpRequestException)
        {
            // The test, or the server, has ended it.
        }
        lock (_gate)
        {
            _hasEnded = true;
            foreach (var (_, met) in _waiting)
                met.TrySetException(new EndOfStreamException("The stream has ended."));
        }
    }

    private void Add(string? id, T received)
    {
        lock (_gate)
        {
            _received.Add(received);
            _ids.Add(id);
            foreach (var (condition, met) in _waiting)
            {
                if (condition(_received))
                    met.TrySetResult();
            }
        }
    }
}
