using Dunlin.Relational.Outbox;

namespace Dunlin.Postgres.Tests.Outbox;

public sealed class OutboxGapsTests
{
    private readonly OutboxGaps _gaps = new();

    [Fact]
    public void A_number_that_was_passed_over_is_in_a_gap()
    {
        _gaps.Take([1, 2, 5, 9], oldest: 100, next: 110, isAll: true);
        Assert.Equal((9, "[[3,4],[6,8]]"), (_gaps.Highest, _gaps.Json));
    }

    [Fact]
    public void A_row_in_a_gap_leaves_the_rest_of_the_gap()
    {
        _gaps.Take([9], oldest: 100, next: 110, isAll: true);
        _gaps.Take([1, 5, 8], oldest: 100, next: 120, isAll: true);
        Assert.Equal("[[2,4],[6,7]]", _gaps.Json);
        _gaps.Take([2, 3, 4, 6], oldest: 100, next: 120, isAll: true);
        Assert.Equal("[[7,7]]", _gaps.Json);
    }

    [Fact]
    public void A_gap_ends_when_no_transaction_of_its_time_runs()
    {
        _gaps.Take([2], oldest: 100, next: 110, isAll: true);
        _gaps.SeeNone(oldest: 109, next: 120, drawn: 2);
        Assert.Equal("[[1,1]]", _gaps.Json);
        _gaps.SeeNone(oldest: 110, next: 120, drawn: 2);
        Assert.Equal((2, "[]"), (_gaps.Highest, _gaps.Json));
    }

    [Fact]
    public void A_full_move_ends_only_the_gaps_before_its_last_row()
    {
        _gaps.Take([2, 4, 6], oldest: 100, next: 110, isAll: true);
        _gaps.Take([3], oldest: 110, next: 120, isAll: false);
        Assert.Equal("[[5,5]]", _gaps.Json);
    }

    [Fact]
    public void Drawn_numbers_are_a_gap_until_their_owners_have_ended()
    {
        _gaps.SeeNone(oldest: 100, next: 110, drawn: 50);
        Assert.Equal((50, "[[1,50]]"), (_gaps.Highest, _gaps.Json));
        _gaps.SeeNone(oldest: 110, next: 130, drawn: 50);
        Assert.Equal("[]", _gaps.Json);
    }

    [Fact]
    public void Too_many_gaps_are_joined_and_none_is_lost()
    {
        for (var i = 1; i <= OutboxGaps.MaxGaps + 5; i++)
            _gaps.Take([2 * i], oldest: 100, next: 110 + i, isAll: true);
        Assert.StartsWith("[[1,11],[13,13],", _gaps.Json, StringComparison.Ordinal);
        // The joined gap ends with the youngest of its parts.
        _gaps.SeeNone(oldest: 115, next: 500, drawn: 0);
        Assert.StartsWith("[[1,11],", _gaps.Json, StringComparison.Ordinal);
        _gaps.SeeNone(oldest: 116, next: 500, drawn: 0);
        Assert.StartsWith("[[13,13],", _gaps.Json, StringComparison.Ordinal);
    }

    [Fact]
    public void A_move_without_rows_changes_nothing()
    {
        _gaps.Take([3], oldest: 100, next: 110, isAll: true);
        _gaps.Take([], oldest: 0, next: 0, isAll: true);
        Assert.Equal((3, "[[1,2]]"), (_gaps.Highest, _gaps.Json));
    }
}
