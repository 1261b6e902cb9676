using System.Collections.Concurrent;
using System.Globalization;

namespace Dunlin.Client.Tests.Support;

/// <summary>The events that publishers had acknowledged and that a reader received, and what may not differ.</summary>
internal sealed class History
{
    private readonly ConcurrentDictionary<string, StreamPosition> _acknowledged = new(StringComparer.Ordinal);
    private readonly List<ReceivedEvent> _received = [];

    public int Acknowledged => _acknowledged.Count;

    public int Received
    {
        get
        {
            lock (_received)
                return _received.Count;
        }
    }

    public void Acknowledge(string data, StreamPosition position) => Assert.True(_acknowledged.TryAdd(data, position), data);

    public void Receive(ReceivedEvent item)
    {
        lock (_received)
            _received.Add(item);
    }

    /// <summary>Publishes numbered events until all are acknowledged. An event whose outcome stays unknown is published again with its
    /// key.</summary>
    public async Task PublishAsync(DunlinClient client, string topic, int publisher, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var data = string.Create(CultureInfo.InvariantCulture, $"\"{publisher}-{i}\"");
            while (true)
            {
                try
                {
                    var result = await client.PublishAsync(OutgoingEvent.FromJson(topic, "e", data), $"{topic}:{publisher}-{i}");
                    Acknowledge(data, result.Positions[0]!.Value);
                    break;
                }
                catch (DunlinClientException exception) when (exception.Problem.IsTemporary)
                {
                    await Wait.PollAsync();
                }
            }
        }
    }

    /// <summary>Waits until the reader has as many events as were acknowledged, and compares them: each once, in order, at its
    /// position.</summary>
    public async Task CheckAsync()
    {
        await Wait.UntilAsync(() => Received >= Acknowledged, () => $"{Received} of {Acknowledged} events arrived.");
        lock (_received)
        {
            Assert.DoesNotContain(_received, item => item.IsReset);
            var offsets = _received.Select(item => OffsetOf(item.Position!.Value)).ToList();
            Assert.Equal(offsets.Distinct().Order(), offsets);
            var byData = _received.ToDictionary(item => item.GetText(), item => item.Position!.Value, StringComparer.Ordinal);
            Assert.Equal(_acknowledged.OrderBy(pair => pair.Key), byData.OrderBy(pair => pair.Key));
        }
    }

    private static long OffsetOf(StreamPosition position)
    {
        Assert.True(position.TryGetOffset(out _, out var offset), position.ToString());
        return offset;
    }
}
