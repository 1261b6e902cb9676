using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Streams;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.DurableStreams.Reading;

/// <summary>Waits for the next change of a stream. A waiting request is a connection of the fan-out, without a task or timer of its own.
/// Thread-safe.</summary>
internal sealed class LongPolls(EventFanout fanout, StreamLimits limits, TimeProvider time)
{
    /// <summary>Waits until the stream has changed after it was found, or the time is over.</summary>
    /// <param name="context">The request.</param>
    /// <param name="caller">The reader.</param>
    /// <param name="stream">The stream as it was found.</param>
    /// <param name="timeout">The time.</param>
    public async Task WaitAsync(HttpContext context, Caller caller, StreamState stream, TimeSpan timeout)
    {
        var address = context.Connection.RemoteIpAddress?.ToString();
        using var place = limits.Enter(caller.UserId, address ?? "");
        var sink = new WakeSink();
        var connection = fanout.Open(
            new ConnectionRequest(caller, [stream.Topic], sink)
            {
                Format = WakeFormat.Instance,
                SendsControlFrames = false,
                Heartbeat = TimeSpan.Zero,
                RemoteAddress = address,
            }
        );
        try
        {
            await fanout.StartAsync(connection, default, PositionOf(stream, fanout.DeliveredHead));
            await Task.WhenAny(sink.Woken, connection.Completion).WaitAsync(timeout, time, context.RequestAborted);
        }
        catch (TimeoutException)
        {
            // The caller reads again in any case.
        }
        finally
        {
            connection.Close(ConnectionEnd.Gone);
            await connection.Completion;
        }
    }

    /// <summary>Returns the position after which events of the stream are new to one who has found it.</summary>
    public static Position PositionOf(StreamState stream, Position head) =>
        head with
        {
            Offset = Math.Max(stream.Row.LastEvent, stream.Row.StartsAfter),
        };

    private sealed class WakeSink : IFrameSink
    {
        private readonly TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Woken => _woken.Task;

        public void Write(ReadOnlyMemory<byte> bytes)
        {
            if (!bytes.IsEmpty)
                _woken.TrySetResult();
        }

        public ValueTask<bool> FlushAsync() => new(true);

        public void Abort() => _woken.TrySetResult();
    }
}
