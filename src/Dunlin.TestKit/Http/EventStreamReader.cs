using System.Net.ServerSentEvents;

namespace Dunlin.TestKit;

/// <summary>Reads an open event stream with .NET's parser. Not thread-safe.</summary>
/// <typeparam name="T">The type to which the test converts an event.</typeparam>
/// <remarks>
/// A test reads events one by one (<see cref="NextAsync()"/>), or waits until the received events satisfy a condition
/// (<see cref="WhenAsync"/>). A wait fails after 30 seconds or at the end of the stream, with a message that contains the received events.
/// </remarks>
public sealed class EventStreamReader<T> : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient? _client;
    private readonly Func<SseItem<string>, T> _read;
    private readonly Func<SseItem<string>, bool> _isWanted;
    private readonly CancellationTokenSource _ending = new();
    private bool _isDisposed;
    private readonly Lock _gate = new(); // guards the fields below
    private readonly List<T> _received = [];
    private readonly List<string?> _ids = []; // the ids of the received events
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

    /// <summary>Gets the response.</summary>
    public HttpResponseMessage Response { get; }

    /// <summary>Gets the connection id that the server assigned.</summary>
    public string ConnectionId => Response.Headers.GetValues("Dunlin-Connection").Single();

    /// <summary>Gets a task that completes at the end of the stream.</summary>
    public Task Ended { get; }

    /// <summary>Gets whether the stream is open.</summary>
    public bool IsOpen => !Ended.IsCompleted;

    /// <summary>Gets the events that were returned so far.</summary>
    public IReadOnlyList<T> Seen
    {
        get
        {
            lock (_gate)
                return _received[.._handedOut];
        }
    }

    /// <summary>Gets all received events, including those that were not returned yet.</summary>
    public IReadOnlyList<T> Received
    {
        get
        {
            lock (_gate)
                return [.. _received];
        }
    }

    /// <summary>Gets the number of received events that were not returned yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _received.Count - _handedOut;
        }
    }

    /// <summary>Gets the last event id among the returned events, or null.</summary>
    public string? LastId
    {
        get
        {
            lock (_gate)
                return _ids[.._handedOut].FindLast(static id => !string.IsNullOrEmpty(id));
        }
    }

    /// <summary>Starts to read a response. The reader owns the client and the response from here on.</summary>
    /// <param name="client">The client, disposed with the reader. Null for a shared client.</param>
    /// <param name="response">The response, whose headers have been received.</param>
    /// <param name="read">Converts an event.</param>
    /// <param name="isWanted">Selects the events to read. Default: null, which reads all.</param>
    public static async Task<EventStreamReader<T>> OpenAsync(
        HttpClient? client,
        HttpResponseMessage response,
        Func<SseItem<string>, T> read,
        Func<SseItem<string>, bool>? isWanted = null
    ) => new(client, response, await response.Content.ReadAsStreamAsync(), read, isWanted);

    /// <summary>Returns the next event, and waits for it if necessary.</summary>
    /// <exception cref="InvalidOperationException">The stream ended, or no event arrived within 30 seconds.</exception>
    public async Task<T> NextAsync()
    {
        await WhenAsync(received => received.Count > _handedOut);
        lock (_gate)
            return _received[_handedOut++];
    }

    /// <summary>Returns the next <paramref name="count"/> events.</summary>
    /// <param name="count">The number of events.</param>
    /// <exception cref="InvalidOperationException">The stream ended, or an event did not arrive within 30 seconds.</exception>
    public async Task<List<T>> NextAsync(int count)
    {
        var events = new List<T>();
        while (events.Count < count)
            events.Add(await NextAsync());
        return events;
    }

    /// <summary>Reads up to the first event that satisfies a condition, and returns it.</summary>
    /// <param name="isLookedFor">The condition.</param>
    /// <exception cref="InvalidOperationException">The stream ended, or an event did not arrive within 30 seconds.</exception>
    public async Task<T> UntilAsync(Func<T, bool> isLookedFor)
    {
        while (true)
        {
            var next = await NextAsync();
            if (isLookedFor(next))
                return next;
        }
    }

    /// <summary>Waits until the received events satisfy a condition. It returns no event.</summary>
    /// <param name="condition">The condition.</param>
    /// <exception cref="InvalidOperationException">The stream ended, or 30 seconds passed.</exception>
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

    /// <summary>Closes the stream. Further calls do nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        // The read ends first: disposing a response during a read can throw any exception.
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
            // The test or the server has ended the stream.
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
