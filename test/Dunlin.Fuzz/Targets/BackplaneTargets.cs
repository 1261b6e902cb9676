using System.Text;
using Dunlin.Fuzz.Engine;
using Dunlin.Postgres.Backplane;
using Dunlin.Redis.Backplane;

namespace Dunlin.Fuzz.Targets;

/// <summary>What nodes send each other: notifications through Redis and NOTIFY of PostgreSQL.</summary>
internal static class BackplaneTargets
{
    // Far above what a notification of this length can hold.
    private const long MaxAllocated = 16 * 1024 * 1024;

    public static FuzzTarget Redis() =>
        new ParserTarget(
            "redis",
            ReadRedis,
            "Dunlin.Redis.Backplane.CommitNotification",
            "Dunlin.Redis.Backplane.SeenNumbers",
            "Dunlin.Journal.EventExtra"
        )
        {
            Words =
            [
                "\u0002\u0001a",
                "\u0003\u0001a",
                "\u0006\u0001a",
                "\u0007\u0001a",
                "\0\0\0\0\0\0\0\0",
                "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff",
                "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f",
                "\u00ff\u00ff\u00ff\u00ff\u0007",
                "\u0003a/b\u0001x\u0002{}",
            ],
        };

    public static FuzzTarget Notify() =>
        new ParserTarget("notify", ReadNotify, "Dunlin.Postgres.Backplane.CommitNotice", "Dunlin.Journal.Position")
        {
            Words = ["0000002a-17", " ", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "-", "00-", "\0"],
            MaxLength = 200,
        };

    private static void ReadRedis(byte[] input)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var notification = CommitNotificationCodec.Decode(input);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        FindingException.Require(allocated < MaxAllocated, "a short notification allocates much", $"{allocated} bytes");
        CommitNotificationCodec.IsEcho(input, "a");
        if (notification is null)
            return;
        var encoded = CommitNotificationCodec.Encode(notification);
        var again = CommitNotificationCodec.Decode(encoded);
        FindingException.Require(again is not null, "an encoded notification is refused", Convert.ToHexString(encoded));
        FindingException.Require(
            CommitNotificationCodec.Encode(again!).AsSpan().SequenceEqual(encoded),
            "a notification is read back differently",
            Convert.ToHexString(encoded)
        );
        FindingException.Require(
            notification.Events.All(static e => e.Position.Offset >= 0),
            "an event has a negative offset",
            Convert.ToHexString(input)
        );
        // The backplane passes on what it reads to this window.
        var seen = new SeenNumbers(TimeProvider.System);
        var isFirst = seen.Add(notification.Node, notification.Number);
        FindingException.Require(
            !seen.Add(notification.Node, notification.Number) || !isFirst,
            "a number is new twice",
            $"{notification.Number}"
        );
    }

    private static void ReadNotify(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (CommitNotice.TryParse(text, out var position, out _))
            FindingException.Require(text.Split(' ')[0] == position.ToString(), "position has two texts", text);
    }
}
