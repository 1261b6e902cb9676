using System.Text;

namespace Dunlin.Relational.Outbox;

/// <summary>Knows which numbers of the outbox may still appear, so that a look reads neither all rows nor the remains of moved ones. Not
/// thread-safe.</summary>
/// <remarks>
/// A transaction draws the number of a row when its commit begins. A larger number may therefore become visible first. A number that was
/// passed over is in a gap until its owner has ended:
/// <code>
/// unseen (above the highest) -> moved
///                            -> in a gap -> moved
///                                        -> nobody's: its transaction rolled back, or another node moved the row
/// </code>
/// Each gap remembers a transaction id that was assigned after the snapshot that passed it over. The owner of the number had drawn it
/// before that snapshot, so it has a smaller id. Once a snapshot has no older transaction running, the owner has ended: its row is visible
/// in that snapshot, or never.
/// </remarks>
internal sealed class OutboxGaps
{
    /// <summary>The maximum number of gaps, each of which costs one index look-up for each look. More are joined to wider ones.</summary>
    internal const int MaxGaps = 128;

    private readonly List<Gap> _gaps = [];
    private string? _json = "[]";

    /// <summary>Gets the number above which no row was seen.</summary>
    public long Highest { get; private set; }

    /// <summary>Gets the gaps as a JSON array of arrays of first and last number.</summary>
    public string Json => _json ??= Write();

    /// <summary>Returns whether numbers below these ones, ascending, were not seen.</summary>
    public bool IsAnyPassedOver(IReadOnlyList<long> numbers) =>
        numbers.Count > 0 && numbers[^1] - Highest > numbers.Count(number => number > Highest);

    /// <summary>Records the rows that a committed transaction has taken.</summary>
    /// <param name="numbers">Their numbers, ascending: the first ones of all visible rows.</param>
    /// <param name="oldest">The oldest transaction that ran when the snapshot was taken.</param>
    /// <param name="next">An id that was assigned after the snapshot, if a number was passed over.</param>
    /// <param name="isAll">Whether no other row was visible.</param>
    public void Take(IReadOnlyList<long> numbers, long oldest, long next, bool isAll)
    {
        if (numbers.Count == 0)
            return;
        Settle(oldest, isAll ? long.MaxValue : numbers[^1]);
        foreach (var number in numbers)
        {
            if (number > Highest)
                Pass(number, next, isSeen: true);
            else
                Split(number);
        }
    }

    /// <summary>Records that a look has seen no row.</summary>
    /// <param name="oldest">The oldest transaction that ran when the snapshot was taken.</param>
    /// <param name="next">An id that was assigned after the snapshot, if a number was passed over.</param>
    /// <param name="drawn">The last number that was drawn before the snapshot was taken.</param>
    public void SeeNone(long oldest, long next, long drawn)
    {
        Settle(oldest, long.MaxValue);
        if (drawn > Highest)
            Pass(drawn, next, isSeen: false);
    }

    private void Pass(long number, long next, bool isSeen)
    {
        var last = isSeen ? number - 1 : number;
        if (last > Highest)
        {
            _gaps.Add(new Gap(Highest + 1, last, next));
            if (_gaps.Count > MaxGaps)
            {
                // The range may include moved numbers, which costs time only.
                _gaps[0] = _gaps[0] with
                {
                    Last = _gaps[1].Last,
                    Next = Math.Max(_gaps[0].Next, _gaps[1].Next),
                };
                _gaps.RemoveAt(1);
            }
            _json = null;
        }
        Highest = number;
    }

    private void Settle(long oldest, long through)
    {
        if (_gaps.RemoveAll(gap => gap.Next <= oldest && gap.Last < through) > 0)
            _json = null;
    }

    private void Split(long number)
    {
        var index = _gaps.FindIndex(gap => gap.First <= number && number <= gap.Last);
        if (index < 0)
            return;
        var gap = _gaps[index];
        _gaps.RemoveAt(index);
        if (number < gap.Last)
            _gaps.Insert(index, gap with { First = number + 1 });
        if (gap.First < number)
            _gaps.Insert(index, gap with { Last = number - 1 });
        _json = null;
    }

    private string Write()
    {
        var text = new StringBuilder("[");
        foreach (var gap in _gaps)
            text.Append(text.Length > 1 ? "," : "").Append(System.Globalization.CultureInfo.InvariantCulture, $"[{gap.First},{gap.Last}]");
        return text.Append(']').ToString();
    }

    /// <param name="First">The first number.</param>
    /// <param name="Last">The last number.</param>
    /// <param name="Next">All owners have smaller transaction ids.</param>
    private sealed record Gap(long First, long Last, long Next);
}
