using System.Threading.Channels;

namespace Dunlin.Client.Tests.Support;

/// <summary>Reads a subscription in the background, and keeps items and states.</summary>
internal sealed class Reader : IAsyncDisposable
{
    private readonly Channel<ReceivedEvent> _items = Channel.CreateUnbounded<ReceivedEvent>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new(); // guards the fields below
    private readonly List<ConnectionState> _states = [];
    private readonly List<(Predicate<ConnectionState> Wanted, TaskCompletionSource Reached)> _waiting = [];

    private Reader(
        Func<SubscribeOptions, CancellationToken, IAsyncEnumerable<ReceivedEvent>> subscribe,
        SubscribeOptions options,
        Action<ReceivedEvent>? onItem
    )
    {
        options.OnStateChanged = Changed;
        Ended = Task.Run(async () =>
        {
            try
            {
                await foreach (var item in subscribe(options, _stop.Token))
                {
                    if (onItem is null)
                        _items.Writer.TryWrite(item);
                    else
                        onItem(item);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // The test has ended.
            }
            finally
            {
                _items.Writer.TryComplete();
            }
        });
    }

    /// <summary>Completes when the subscription has ended, and fails with its error.</summary>
    public Task Ended { get; }

    public ConnectionState State
    {
        get
        {
            lock (_lock)
                return _states.Count > 0 ? _states[^1] : new ConnectionState();
        }
    }

    public IReadOnlyList<ConnectionState> States
    {
        get
        {
            lock (_lock)
                return [.. _states];
        }
    }

    public static Reader Start(
        DunlinClient client,
        IEnumerable<string> topics,
        SubscribeOptions? options = null,
        Action<ReceivedEvent>? onItem = null
    ) => new((o, token) => client.SubscribeAsync(topics, o, token), options ?? new SubscribeOptions(), onItem);

    public static Reader StartPath(DunlinClient client, string path, SubscribeOptions? options = null) =>
        new((o, token) => client.SubscribePathAsync(path, o, token), options ?? new SubscribeOptions(), null);

    public async Task<ReceivedEvent> NextAsync() => await _items.Reader.ReadAsync().AsTask().WithinLimit();

    public bool TryNext(out ReceivedEvent? item) => _items.Reader.TryRead(out item);

    public Task WhenAsync(ConnectionStatus status) => WhenAsync(state => state.Status == status);

    public async Task WhenAsync(Predicate<ConnectionState> wanted)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_states.Count > 0 && wanted(_states[^1]))
                return;
            _waiting.Add((wanted, reached));
        }
        try
        {
            // A subscription that has ended reaches no further state.
            await Task.WhenAny(reached.Task, Ended).WithinLimit();
            if (!reached.Task.IsCompleted)
                throw new InvalidOperationException($"The subscription has ended: {State}");
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"The state is {State}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Ended.ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    private void Changed(ConnectionState state)
    {
        lock (_lock)
        {
            _states.Add(state);
            foreach (var (wanted, reached) in _waiting)
            {
                if (wanted(state))
                    reached.TrySetResult();
            }
        }
    }
}
