using System.Buffers;
using Dunlin.Fanout;
using Dunlin.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Sse;

/// <summary>Accepts a WebSocket at the first flush and writes the opening of its stream. Not thread-safe, except
/// <see cref="Abort"/>.</summary>
/// <remarks>A <see cref="WebSocketSink"/> takes over where the socket can leave the web server. Over TLS and other transports this sink
/// continues with the upgraded connection of the server.</remarks>
internal sealed class WebSocketOpening(HttpContext context, EventFanout fanout) : IFrameSink
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    private readonly ArrayBufferWriter<byte> _frames = new(512);
    private readonly WebSocketInput _input = new();
    private Stream? _stream;
    private Task _reading = Task.CompletedTask;
    private volatile bool _aborted;

    /// <summary>Gets the sink that has taken over the socket, or null.</summary>
    public WebSocketSink? Successor { get; private set; }

    public void Write(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        _frames.Advance(WebSocketFrames.Write(bytes.Span, _frames.GetSpan(bytes.Length + WebSocketFrames.Border)));
    }

    public async ValueTask<bool> FlushAsync()
    {
        if (_aborted)
            return false;
        try
        {
            if (_stream is null && !await AcceptAsync())
                return Successor is { } accepted && await accepted.FlushAsync();
            await _stream!.WriteAsync(_frames.WrittenMemory, context.RequestAborted);
            await _stream.FlushAsync(context.RequestAborted);
            _frames.ResetWrittenCount();
            return true;
        }
#pragma warning disable CA1031 // a dead connection may throw any exception
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    public IFrameSink Continue(EventStreamConnection connection)
    {
        if (Successor is { } taken)
        {
            taken.Attach(connection);
            return taken;
        }
        _reading = ReadAsync(_stream!, connection);
        return this;
    }

    public void Abort()
    {
        _aborted = true;
        if (Successor is { } taken)
            taken.Abort();
        else
            context.Abort();
    }

    /// <summary>Closes a WebSocket that has stayed with the web server. This must be the last call.</summary>
    public async Task EndAsync(ConnectionEnd end)
    {
        if (_aborted || _stream is null || (end == ConnectionEnd.Gone && _input.CloseCode is null))
            return;
        _frames.Write(WebSocketFrames.Close(_input.CloseCode ?? WebSocketFrames.CodeOf(end)));
        if (await FlushAsync())
            await Task.WhenAny(_reading, Task.Delay(CloseTimeout, fanout.Time, context.RequestAborted));
    }

    /// <returns>Whether the web server keeps the connection. If not, there is a successor, or the client is gone.</returns>
    private async Task<bool> AcceptAsync()
    {
        if (await DetachedResponse.TryDetachAsync(context, static () => { }) is not { } detached)
        {
            _stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
            return true;
        }
        var head = new ArrayBufferWriter<byte>(512);
        var sink = detached.TakeOver((socket, open, received) => new WebSocketSink(socket, open, fanout, received));
        if (sink is null)
            return false;
        detached.WriteHead(StatusCodes.Status101SwitchingProtocols, Upgrade, fanout.Time, head);
        head.Write(_frames.WrittenSpan);
        sink.Begin(head.WrittenSpan);
        Successor = sink;
        if (_aborted)
            sink.Abort();
        return false;
    }

    private static readonly KeyValuePair<string, string>[] Upgrade = [new("Connection", "Upgrade"), new("Upgrade", "websocket")];

    private async Task ReadAsync(Stream stream, EventStreamConnection connection)
    {
        var buffer = new byte[256];
        try
        {
            while (await stream.ReadAsync(buffer, context.RequestAborted) is > 0 and var received)
            {
                _input.Receive(buffer.AsSpan(0, received), connection.Send);
                if (_input.CloseCode is not null)
                    break;
            }
        }
#pragma warning disable CA1031 // a dead connection may throw any exception
        catch (Exception)
#pragma warning restore CA1031
        {
            // The client is gone.
        }
        connection.Close(ConnectionEnd.Gone);
    }
}
