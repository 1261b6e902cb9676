using System.Data.Common;
using Dapper;
using Dunlin.Devices;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Focus.Timer;

/// <summary>The phase lengths of all users. A change is sent to all devices of its user and applies from the next start.</summary>
internal sealed class LengthsService(IStore store, UserDevices devices)
{
    public ValueTask<LengthsView> GetAsync(Caller caller, CancellationToken cancellationToken) =>
        store.ReadAsync(async (scope, _) => await FindAsync(scope.Connection, null, caller.UserId), cancellationToken);

    /// <summary>Stores the lengths. Equal ones change nothing.</summary>
    public ValueTask<LengthsView> SetAsync(Caller caller, string deviceId, PhaseLengths lengths, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var before = await FindAsync(unit.Connection, unit.Transaction, caller.UserId);
                if (LengthsView.Of(lengths, before.Version) == before)
                    return before;
                var view = LengthsView.Of(lengths, (await unit.NextPositionAsync(ct)).Offset);
                await devices.BroadcastAsync(unit, caller.UserId, "settings", "updated", view, deviceId, cancellationToken: ct);
                await unit.Connection.ExecuteAsync(
                    "INSERT INTO focus_settings (user_id, focus_minutes, break_minutes, long_break_minutes, long_break_every, version) "
                        + "VALUES (@UserId, @FocusMinutes, @BreakMinutes, @LongBreakMinutes, @LongBreakEvery, @Version) "
                        + "ON CONFLICT (user_id) DO UPDATE SET focus_minutes = excluded.focus_minutes, break_minutes = excluded.break_minutes, "
                        + "long_break_minutes = excluded.long_break_minutes, long_break_every = excluded.long_break_every, version = excluded.version",
                    new
                    {
                        caller.UserId,
                        view.FocusMinutes,
                        view.BreakMinutes,
                        view.LongBreakMinutes,
                        view.LongBreakEvery,
                        view.Version,
                    },
                    unit.Transaction
                );
                return view;
            },
            cancellationToken
        );

    /// <summary>Returns the lengths for a start.</summary>
    public static async ValueTask<PhaseLengths> OfAsync(IUnitOfWork unit, string userId)
    {
        var (focus, pause, longPause, every, _) = await FindAsync(unit.Connection, unit.Transaction, userId);
        return new PhaseLengths(focus, pause, longPause, every);
    }

    private static async Task<LengthsView> FindAsync(DbConnection connection, DbTransaction? transaction, string userId) =>
        await connection.QuerySingleOrDefaultAsync<Row>(
            "SELECT focus_minutes AS FocusMinutes, break_minutes AS BreakMinutes, long_break_minutes AS LongBreakMinutes, "
                + "long_break_every AS LongBreakEvery, version FROM focus_settings WHERE user_id = @userId",
            new { userId },
            transaction
        )
            is { } row
            ? new LengthsView((int)row.FocusMinutes, (int)row.BreakMinutes, (int)row.LongBreakMinutes, (int)row.LongBreakEvery, row.Version)
            : LengthsView.Of(PhaseLengths.Default, 0);

    private sealed record Row(long FocusMinutes, long BreakMinutes, long LongBreakMinutes, long LongBreakEvery, long Version);
}
