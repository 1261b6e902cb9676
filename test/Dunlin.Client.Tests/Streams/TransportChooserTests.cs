using Dunlin.Client.Streams;
using Dunlin.TestKit;

namespace Dunlin.Client.Tests.Streams;

/// <summary>When a client uses long polls, and when it tries streams again.</summary>
public sealed class TransportChooserTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Streams_are_tried_again_after_growing_times_up_to_one_hour()
    {
        var chooser = new TransportChooser(_time);
        Assert.Equal(StreamTransport.Sse, chooser.Next());
        foreach (var minutes in new[] { 10, 20, 40, 60, 60 })
        {
            chooser.Opened(StreamTransport.LongPoll);
            _time.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(1));
            // Further polls do not postpone the attempt.
            chooser.Opened(StreamTransport.LongPoll);
            Assert.Equal(StreamTransport.LongPoll, chooser.Next());
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(StreamTransport.Sse, chooser.Next());
        }
    }

    [Fact]
    public void A_stream_that_delivers_bytes_resets_the_retry_time()
    {
        var chooser = new TransportChooser(_time);
        chooser.Opened(StreamTransport.LongPoll);
        _time.Advance(TimeSpan.FromMinutes(10));
        chooser.Opened(StreamTransport.Sse);
        Assert.Equal(StreamTransport.Sse, chooser.Next());
        chooser.Opened(StreamTransport.LongPoll);
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(StreamTransport.Sse, chooser.Next());
    }
}
