using System.Runtime.CompilerServices;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Simulation.Network;
using Dunlin.Simulation.Nodes;
using Dunlin.Simulation.Scheduling;
using Dunlin.Topics;

namespace Dunlin.Simulation.Clients;

/// <summary>A client by <c>docs/spec/event-stream.md</c>: it resumes after its last id, and each event must be the next one.</summary>
internal sealed class SimReader
{
    private readonly SimCluster _cluster;
    private readonly List<byte> _received = [];
    private SimLink? _link;

    public SimReader(SimCluster cluster, string name, Caller caller, IReadOnlyList<TopicName> topics, IReadOnlyList<TopicPattern> patterns)
    {
        (_cluster, Name, Caller, Topics, Patterns) = (cluster, name, caller, topics, patterns);
        Check = new ReaderCheck(cluster, this);
    }

    public string Name { get; }

    public SimWorld World => _cluster.World;

    public Caller Caller { get; }

    public bool Conflates { get; init; }

    public IReadOnlyList<TopicName> Topics { get; private set; }

    public IReadOnlyList<TopicPattern> Patterns { get; private set; }

    public ReaderCheck Check { get; }

    public Position? Last { get; private set; }

    /// <summary>Gets whether the reader may read nothing any more.</summary>
    public bool IsRetired => Topics.Count + Patterns.Count == 0;

    public bool IsOver { get; set; }

    public async Task RunAsync()
    {
        while (!IsOver && !IsRetired)
        {
            if (_cluster.Pick() is not { } node)
            {
                await _cluster.World.DelayAsync(TimeSpan.FromMilliseconds(500));
                continue;
            }
            var link = _link = new SimLink(node, this);
            _received.Clear();
            Trace($"opens a stream of {node.Name} after {Last?.Offset.ToString() ?? "nothing"}");
            try
            {
                await node.CallAsync(() => OpenAsync(node, link, Last));
                await Task.WhenAny(link.Ended, node.Died);
            }
            catch (DunlinException refused)
            {
                Trace($"is refused: {refused.Code}");
                if (refused.Code == ErrorCode.Forbidden)
                    DropEnded();
            }
            catch (RequestLostException)
            {
                Trace($"gets no reply");
            }
            link.Cut(isNoticed: _cluster.World.Chance(0.8));
            _link = null;
            await _cluster.World.DelayAsync(_cluster.World.Upto(TimeSpan.FromSeconds(2)));
        }
    }

    /// <summary>Ends the stream, as a client that leaves does.</summary>
    public void Leave()
    {
        IsOver = true;
        _link?.Cut(isNoticed: true);
    }

    public void OnBytes(SimLink link, byte[] bytes)
    {
        if (link != _link)
            return;
        _received.AddRange(bytes);
        while (IndexOfBlockEnd() is var end and >= 0)
        {
            var block = Encoding.UTF8.GetString([.. _received.Take(end)]);
            _received.RemoveRange(0, end + 2);
            OnBlock(link, Frame.Parse(block));
        }
    }

    private static async Task<bool> OpenAsync(SimNode node, SimLink link, Position? resume)
    {
        var reader = link.Reader;
        await reader.RequireAsync(node);
        var fanout = node.Get<EventFanout>();
        var connection = fanout.Open(
            new ConnectionRequest(reader.Caller, reader.Topics, new SimSink(link))
            {
                Patterns = reader.Patterns,
                Conflates = reader.Conflates,
            }
        );
        try
        {
            var (start, reset) = await fanout.LocateAsync(resume);
            await reader.RequireAsync(node);
            link.Connection = connection;
            ReadOnlyMemory<byte> opening =
                reset is { } reason ? ControlFrames.Reset(reason, start)
                : resume is null ? FrameWriter.Encode(start, static frame => frame.Control("hello"))
                : ":\n\n"u8.ToArray();
            _ = fanout.StartAsync(connection, opening, start);
            return true;
        }
        catch
        {
            connection.Abandon();
            throw;
        }
    }

    private async Task RequireAsync(SimNode node)
    {
        var policies = node.Get<AccessPolicies>();
        foreach (var topic in Topics)
        {
            if (!await policies.MayReadAsync(Caller, topic))
                throw new DunlinException(ErrorCode.Forbidden);
        }
        foreach (var pattern in Patterns)
        {
            if (!await policies.MayReadAllAsync(Caller, pattern))
                throw new DunlinException(ErrorCode.Forbidden);
        }
    }

    private void DropEnded()
    {
        Topics = [.. Topics.Where(topic => _cluster.Database.Rights.MayRead(Caller.UserId, topic.Value))];
        if (!_cluster.Database.Rights.MayReadAll(Caller.UserId))
            Patterns = [];
    }

    private void OnBlock(SimLink link, Frame frame)
    {
        switch (frame.Control)
        {
            case "hello":
                Trace($"begins at {frame.Id?.Offset}");
                Last = frame.Id;
                break;
            case "reset":
                Trace($"is reset to {frame.Id?.Offset}: {frame.Data}");
                Check.OnReset(Last, frame.Id!.Value, frame.Data);
                Last = frame.Id;
                break;
            case "revoked":
                Trace($"loses {frame.Data}");
                DropEnded();
                Check.OnRevoked(link, frame.Data);
                break;
            case "goodbye":
                Trace($"is closed: {frame.Data}");
                if (frame.Data.Contains("\"revoked\"", StringComparison.Ordinal))
                    DropEnded();
                link.Cut(isNoticed: true);
                break;
            default:
                if (frame.Topic is null)
                    return;
                Check.OnEvent(link, Last, frame);
                Last = frame.Id ?? Last;
                break;
        }
    }

    private int IndexOfBlockEnd()
    {
        for (var i = 1; i < _received.Count; i++)
        {
            if (_received[i] == '\n' && _received[i - 1] == '\n')
                return i - 1;
        }
        return -1;
    }

    private void Trace([InterpolatedStringHandlerArgument("")] TraceLine line) => World.Trace.AddText(World.Time, Name, line.Text);
}

/// <summary>One block of an event stream.</summary>
internal readonly record struct Frame(Position? Id, string? Type, string? Topic, string? Control, string Data)
{
    public static Frame Parse(string block)
    {
        var frame = new Frame(null, null, null, null, "");
        foreach (var line in block.Split('\n'))
        {
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (colon <= 0)
                continue;
            var value = line[(colon + 2)..];
            frame = line[..colon] switch
            {
                "id" => frame with { Id = Position.Parse(value, null) },
                "event" => frame with { Type = value },
                "topic" => frame with { Topic = value },
                "control" => frame with { Control = value },
                "data" => frame with { Data = value },
                _ => frame,
            };
        }
        return frame;
    }
}
