using System.Buffers;
using System.Net.Sockets;
using Dunlin.Sse;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Transport;

/// <summary>A response that is sent after its request has left the web server. Until then it holds its socket and its head only. Not
/// thread-safe, except <see cref="Abort"/>. States:</summary>
/// <code>
/// waiting -> sending -> returned (the socket waits for the next request) or closed
/// waiting -> taken over (the socket belongs to another owner)
/// waiting -> gone (the client has ended the connection) -> closed
/// </code>
/// <remarks>
/// For long polls. The owner must call exactly one of <see cref="SendAsync"/>, <see cref="TakeOver"/> and <see cref="Abort"/> in the end,
/// also after the client is gone. The request counts as complete for the web server: do not use its context any more.
/// <para>Bytes that the client sends meanwhile belong to its next request. The response leaves them to the next owner of the socket, and
/// then no longer notices that the client disconnects.</para>
/// </remarks>
internal sealed class DetachedResponse : ISocketReader
{
    // Not the connection: it would keep the objects of the web server in memory.
    private readonly Socket _socket;
    private readonly DirectPort _port;
    private readonly SocketReceiver _receiver;
    private readonly Action _gone;
    private ResponseHead _head = null!;
    private byte[] _received = [];
    private volatile bool _hasInput;
    private volatile bool _isGone;
    private int _closed;

    private DetachedResponse(DirectConnection connection, Action gone)
    {
        _socket = connection.Socket;
        _port = connection.Port;
        _receiver = connection.Receiver;
        _gone = gone;
    }

    /// <summary>Gets whether the client has ended the connection.</summary>
    public bool IsGone => _isGone;

    /// <summary>Detaches the response from its request. Set headers that do not depend on the outcome before the call.</summary>
    /// <param name="context">The request: HTTP/1.1 with no unread body. Its response must not have started.</param>
    /// <param name="gone">Called at most once, when the client ends the connection. May be called before this method returns. Must not
    /// block.</param>
    /// <returns>The response, or null if it must stay with the web server: over TLS, HTTP/2, another transport or compression.</returns>
    public static async ValueTask<DetachedResponse?> TryDetachAsync(HttpContext context, Action gone)
    {
        var response = context.Response;
        if (response.HasStarted || !StreamHeaders.AreChunkedByUs(context) || StreamHeaders.DirectConnection(context) is not { } connection)
            return null;
        // The server then adds neither a length nor chunks of its own. The start runs the callbacks of middleware and writes the head
        // without sending it.
        if (response.StatusCode != StatusCodes.Status101SwitchingProtocols)
            response.Headers.TransferEncoding = "chunked";
        await response.StartAsync();
        var detached = new DetachedResponse(connection, gone);
        if (!connection.TryTakeOver(detached, out var head, out detached._received))
        {
            // The client is gone. The web server still owns the socket and closes it.
            detached._closed = 1;
            detached.End();
            return detached;
        }
        detached._head = ResponseHead.Parse(head);
        return detached;
    }

    /// <summary>Sends the response, and returns the socket to the web server for the next request or closes it.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="headers">Headers that replace those of the same name.</param>
    /// <param name="body">The body. Ignored for 204 and 304.</param>
    /// <param name="limit">The time in which the client must accept the response.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Whether the response was handed to the network completely.</returns>
    public async Task<bool> SendAsync(
        int status,
        IReadOnlyList<KeyValuePair<string, string>> headers,
        IReadOnlyList<ReadOnlyMemory<byte>> body,
        TimeSpan limit,
        TimeProvider time
    )
    {
        if (_isGone)
        {
            Close(abortive: false);
            return false;
        }
        var hasBody = status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified);
        var length = hasBody ? body.Sum(static part => part.Length) : 0;
        var buffer = new ArrayBufferWriter<byte>(512 + length);
        _head.Write(status, headers, hasBody ? length : null, time.GetUtcNow(), buffer);
        for (var i = 0; hasBody && i < body.Count; i++)
            buffer.Write(body[i].Span);
        if (!await SendAllAsync(buffer.WrittenMemory, limit, time))
        {
            Close(abortive: true);
            return false;
        }
        if (_head.Closes || !TryReturn())
            Close(abortive: false);
        return true;
    }

    /// <summary>Gives the socket to another owner, which sends the response itself.</summary>
    /// <param name="owner">Returns the reader of the socket from now on, given the socket, its counter and the bytes that the client has
    /// sent after the request. It closes the socket with <see cref="DirectConnection.CloseTaken"/>.</param>
    /// <returns>The owner, or null if the client is gone.</returns>
    public T? TakeOver<T>(Func<Socket, OpenSockets, ReadOnlyMemory<byte>, T> owner)
        where T : class, ISocketReader
    {
        if (_isGone || _hasInput)
        {
            Close(abortive: false);
            return null;
        }
        var next = owner(_socket, _port.Open, _received);
        if (_receiver.TryHandOver(this, next))
        {
            _closed = 1;
            return next;
        }
        Close(abortive: false);
        return null;
    }

    /// <summary>Writes the head with this status and these headers, for an owner that sends it.</summary>
    public void WriteHead(int status, IReadOnlyList<KeyValuePair<string, string>> headers, TimeProvider time, ArrayBufferWriter<byte> to) =>
        _head.Write(status, headers, contentLength: null, time.GetUtcNow(), to);

    /// <summary>Closes the socket without a response.</summary>
    public void Abort() => Close(abortive: true);

    ValueTask<bool> ISocketReader.ReadAsync(Socket socket)
    {
        Span<byte> first = stackalloc byte[1];
        var received = socket.Receive(first, SocketFlags.Peek, out var error);
        if (error is SocketError.WouldBlock or SocketError.IOPending)
            return new(true);
        _hasInput = error == SocketError.Success && received > 0;
        return new(false);
    }

    void ISocketReader.OnEnd(Exception? error)
    {
        if (!_hasInput)
            End();
    }

    private void End()
    {
        _isGone = true;
        _gone();
    }

    private async ValueTask<bool> SendAllAsync(ReadOnlyMemory<byte> bytes, TimeSpan limit, TimeProvider time)
    {
        try
        {
            var sent = _socket.Send(bytes.Span, SocketFlags.None, out var error);
            if (error is SocketError.WouldBlock or SocketError.IOPending)
                sent = 0;
            else if (error != SocketError.Success)
                return false;
            if (sent == bytes.Length)
                return true;
            using var late = new CancellationTokenSource(limit, time);
            while (sent < bytes.Length)
                sent += await _socket.SendAsync(bytes[sent..], SocketFlags.None, late.Token);
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            return false;
        }
    }

    private bool TryReturn()
    {
        var next = DirectConnection.Restart(_socket, _port, _receiver, this, _received, _hasInput);
        if (next is null && _hasInput)
            next = DirectConnection.Restart(_socket, _port, _receiver, this, _received, isStopped: true);
        if (next is null || Interlocked.Exchange(ref _closed, 1) != 0)
            return false;
        _port.Return(next);
        return true;
    }

    private void Close(bool abortive)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            DirectConnection.CloseTaken(_socket, _port.Open, abortive);
    }
}
