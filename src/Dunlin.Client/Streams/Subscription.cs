using System.Net.Sockets;
using Dunlin.Client.Security;
using Dunlin.Client.Sse;

namespace Dunlin.Client.Streams;

/// <summary>Keeps one stream open and returns its items one by one. Not thread-safe: one consumer reads it.</summary>
/// <remarks>
/// The consumer pulls. Nothing is read ahead of it beyond one buffer, so a slow consumer slows the socket, and the server continues
/// from its journal. The position moves with each returned item; a stream that breaks resumes from there, so no event of one process is
/// lost or returned twice.
/// </remarks>
internal sealed class Subscription : IAsyncDisposable
{
    // Shorter than the idle time of common proxies.
    private const int MaxPollSeconds = 25;

    // A stream that was live for this long resets the back-off.
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(5);

    private readonly ClientRequests _requests;
    private readonly SubscribeOptions _options;
    private readonly StreamTarget _target;
    private readonly StreamOpener _opener;
    private readonly Action<Subscription, ConnectionState> _onState;
    private readonly PositionSaver? _saver;
    private ConnectionState _state = ConnectionState.Initial;
    private StreamPosition? _position;
    private StreamPosition? _helloPosition;
    private TimeSpan? _retry;
    private TimeSpan _heartbeat;
    private Token? _token;

    // Of the open stream.
    private StreamTransport _transport;
    private HttpResponseMessage? _response;
    private Stream? _body;
    private FrameReader? _reader;
    private SilenceWatch? _watch;
    private CancellationTokenSource? _abort;
    private long _openedAt;
    private string? _connectionId;
    private string _lastId = "";

    // Of a wait.
    private readonly CancellationTokenSource _disposed = new();
    private Task? _wait;

    public Subscription(
        ClientRequests requests,
        StreamTarget target,
        SubscribeOptions options,
        Action<Subscription, ConnectionState> onState
    )
    {
        (_requests, _target, _options, _onState) = (requests, target, options, onState);
        _heartbeat = options.Heartbeat;
        _opener = new StreamOpener(requests, target);
        _position = options.After;
        if (options.Positions is { } store)
        {
            var name = options.Name ?? throw new ArgumentException("SubscribeOptions.Positions needs a Name.", nameof(options));
            _saver = new PositionSaver(store, name, options.SaveInterval, requests.Time);
        }
    }

    public ConnectionState State => _state;

    /// <summary>Returns the next item. All calls must pass the same token.</summary>
    /// <exception cref="DunlinClientException">The server refused the stream for good, or the session has ended.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ReceivedEvent> NextAsync(CancellationToken cancellationToken)
    {
        if (_saver is not null && _state.Stream == 0)
            _position = await _saver.LoadAsync(cancellationToken).ConfigureAwait(false) ?? _position;
        // The consumer asks for the next item, so it has processed the previous one.
        if (_saver is not null)
            await _saver.OfferAsync(_position, isIdle: false, cancellationToken).ConfigureAwait(false);
        if (_state.Stream == 0)
            Apply(new ConnectionInput.Connect());
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (_state.Status)
            {
                case ConnectionStatus.Waiting:
                    await _wait!.WaitAsync(cancellationToken).ConfigureAwait(false);
                    Apply(new ConnectionInput.Due());
                    break;
                case ConnectionStatus.Connecting when _response is null:
                    await OpenAsync(cancellationToken).ConfigureAwait(false);
                    break;
                case ConnectionStatus.Connecting or ConnectionStatus.Live:
                    if (await ReadAsync(cancellationToken).ConfigureAwait(false) is { } item)
                        return item;
                    break;
                default:
                    throw Stopped();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Apply(new ConnectionInput.Disconnect());
        await _disposed.CancelAsync().ConfigureAwait(false);
        _disposed.Dispose();
        if (_saver is not null)
            await _saver.FlushAsync().ConfigureAwait(false);
    }

    private DunlinClientException Stopped() =>
        new(
            _state.Problem
                ?? (
                    _state.SignedOutReason == SignedOutReason.Revoked
                        ? ClientProblem.SessionEnded with
                        {
                            Code = "revoked",
                            Title = "The access was revoked.",
                        }
                        : ClientProblem.SessionEnded
                )
        );

    private void Apply(ConnectionInput input)
    {
        var previous = _state;
        var next = Transition.Apply(previous, input, new TransitionContext(_requests.Options.NextRandom(), _retry));
        if (ReferenceEquals(next, previous))
            return;
        _state = next;
        if (_watch is not null && (!Transition.IsOpen(next) || next.Stream != previous.Stream))
            Close();
        // The timer runs before a listener learns of the wait.
        _wait = next.Status == ConnectionStatus.Waiting ? Task.Delay(next.Delay, _requests.Time, _disposed.Token) : null;
        Log(next);
        _onState(this, next);
        try
        {
            _options.OnStateChanged?.Invoke(next);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            _requests.Logger.ListenerFailed(exception);
        }
    }

    private void Log(ConnectionState state)
    {
        var logger = _requests.Logger;
        if (state.Status == ConnectionStatus.Live)
            logger.Live(state.Stream, new QuotedText(state.ConnectionId));
        else if (state.Status == ConnectionStatus.Waiting)
            logger.Waiting(state.Stream, new QuotedText(state.Problem?.Code ?? "goodbye"), state.Delay);
        else if (state.Status == ConnectionStatus.SignedOut)
            logger.SignedOut(state.Stream, state.SignedOutReason ?? SignedOutReason.Unauthorized);
        else if (state is { Status: ConnectionStatus.Closed, Problem: { } problem })
            logger.Refused(state.Stream, new QuotedText(problem.Code));
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        _openedAt = _requests.Time.GetTimestamp();
        _watch = new SilenceWatch(_requests.Time, _options.Heartbeat);
        _abort = CancellationTokenSource.CreateLinkedTokenSource(_watch.Silent, cancellationToken);
        try
        {
            // The first poll does not wait: a resumed stream would otherwise become live only with its next event.
            if (!await RequestAsync(_state.Renews, wait: 0).ConfigureAwait(false))
                return;
            _openedAt = _requests.Time.GetTimestamp();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail(exception);
            return;
        }
        if (!_target.AwaitsHello)
            Apply(new ConnectionInput.Opened(_connectionId));
    }

    /// <summary>Sends a request for the stream or its next poll.</summary>
    /// <returns>Whether the server answered with a stream.</returns>
    private async Task<bool> RequestAsync(bool renewsFirst, int wait)
    {
        _watch!.SetReading(true);
        var opened = await _opener
            .OpenAsync(_position, renewsFirst, _token, token => _token = token, wait, _abort!.Token)
            .ConfigureAwait(false);
        if (opened.Problem is not null)
        {
            Fail(opened.Problem);
            return false;
        }
        _reader?.Dispose();
        _response?.Dispose();
        (_response, _transport) = (opened.Response!, opened.Transport);
        _body = await _response.Content.ReadAsStreamAsync(_abort.Token).ConfigureAwait(false);
        _reader = new FrameReader(_requests.Options.MaxEventBytes);
        _lastId = "";
        _connectionId = _response.Headers.TryGetValues("Dunlin-Connection", out var ids) ? ids.FirstOrDefault() : null;
        _watch.SetReading(false);
        return true;
    }

    /// <summary>Returns the next item, or null if the state changed or a frame without an item was read.</summary>
    private async ValueTask<ReceivedEvent?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var isFrame = _reader!.TryRead(out var frame);
            _retry = _reader.Retry ?? _retry;
            if (isFrame)
                return Receive(frame);
            if (_saver is not null)
                await _saver.OfferAsync(_position, isIdle: true, cancellationToken).ConfigureAwait(false);
            if (await FillAsync().ConfigureAwait(false) > 0)
                return null;
            if (_transport == StreamTransport.LongPoll && _state.Status == ConnectionStatus.Live)
                await RequestAsync(renewsFirst: false, PollSeconds()).ConfigureAwait(false);
            else
                Fail(ClientProblem.Network("The stream ended."));
        }
        catch (InvalidDataException exception)
        {
            Fail(ClientProblem.Unexpected("tooLarge", exception.Message));
        }
        catch (Exception exception) when (IsOfStream(exception) && !cancellationToken.IsCancellationRequested)
        {
            Fail(exception);
        }
        return null;
    }

    // An exception of the position store is the application's and passes through.
    private static bool IsOfStream(Exception exception) =>
        exception is IOException or HttpRequestException or SocketException or OperationCanceledException or ObjectDisposedException;

    private async ValueTask<int> FillAsync()
    {
        _watch!.SetReading(true);
        try
        {
            // An empty read waits without a buffer, so that an idle stream holds none.
            if (_reader!.IsEmpty)
                await _body!.ReadAsync(Memory<byte>.Empty, _abort!.Token).ConfigureAwait(false);
            var count = await _body!.ReadAsync(_reader.GetMemory(), _abort!.Token).ConfigureAwait(false);
            _reader.Advance(count);
            return count;
        }
        finally
        {
            _watch.SetReading(false);
        }
    }

    private ReceivedEvent? Receive(SseFrame frame)
    {
        var hasMoved = !string.Equals(frame.Id, _lastId, StringComparison.Ordinal);
        if (hasMoved)
        {
            _lastId = frame.Id;
            _position = StreamPosition.OfWire(frame.Id);
        }
        // A frame with only an id moves the position: the server sends one if the reader may not see the events in between.
        if (frame.Data is not { } data)
            return null;
        if (frame.Control is null)
            return ControlFrame.IsReserved(frame.Type) ? null : Event(frame, data);
        var control = ControlFrame.Read(data);
        switch (frame.Control)
        {
            case "hello":
                Greet(control);
                return null;
            case "reset":
                // Positions before the reset are invalid: continue from a position of the server.
                if (!hasMoved)
                    _position = StreamPosition.OfWire(control.Position) ?? _helloPosition;
                var reason = control.Reason ?? "unknown";
                _requests.Logger.Reset(_state.Stream, new QuotedText(reason));
                return new ReceivedEvent("dunlin.reset", null, data, _position, reason);
            case "goodbye":
                Apply(new ConnectionInput.Goodbye(control.Reason ?? "draining", control.ReconnectIn, IsSteady()));
                return null;
            default:
                return Event(frame, data);
        }
    }

    private ReceivedEvent Event(SseFrame frame, byte[] data) =>
        new(frame.Type, frame.Topic, data, _position) { AlsoOn = frame.Also ?? [], Format = frame.Format };

    private void Greet(ControlFrame hello)
    {
        if (hello.Heartbeat is { } heartbeat)
        {
            _heartbeat = heartbeat;
            _watch!.SetHeartbeat(heartbeat);
        }
        _helloPosition = StreamPosition.OfWire(hello.Position);
        // A resumed stream starts at the position of the request, before that of the hello. Only a fresh stream adopts it.
        _position ??= _helloPosition;
        _connectionId = hello.ConnectionId ?? _connectionId;
        Apply(new ConnectionInput.Opened(_connectionId));
    }

    private void Fail(Exception exception)
    {
        if (_watch?.Silent.IsCancellationRequested == true)
        {
            Fail(ClientProblem.Network("The stream fell silent.", "silent"));
            return;
        }
        // Only an answer of the server ends a subscription, never an error on the way to it.
        var problem = ClientRequests.ProblemOf(exception);
        Fail(problem.Kind == ProblemKind.Unexpected ? ClientProblem.Network(problem.Title) : problem);
    }

    private void Fail(ClientProblem problem)
    {
        var isSteady = IsSteady();
        Close();
        Apply(new ConnectionInput.Failed(problem, isSteady));
    }

    // The watch allows 2.5 heartbeats of silence.
    private int PollSeconds() => Math.Clamp((int)(_heartbeat * 2).TotalSeconds, 1, MaxPollSeconds);

    private bool IsSteady() => _state.Status == ConnectionStatus.Live && _requests.Time.GetElapsedTime(_openedAt) >= Steady;

    private void Close()
    {
        _abort?.Cancel();
        _reader?.Dispose();
        _response?.Dispose();
        _watch?.Dispose();
        _abort?.Dispose();
        (_abort, _reader, _response, _watch, _body) = (null, null, null, null, null);
    }
}
