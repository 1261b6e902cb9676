using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Administration;

/// <summary>Whether only administrators may write now, and why.</summary>
internal sealed record MaintenanceState(bool On, string Message);

/// <summary>Maintenance: looked at in the transaction of every write, so that after it has begun nothing slips through.</summary>
internal static class Maintenance
{
    private const string Setting = "maintenance";

    // Long enough not to be asked by every client every second, short enough that saving goes on soon after.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    public static async ValueTask RequireOffAsync(IUnitOfWork unit, Caller caller)
    {
        if (caller.IsAdministrator)
            return;
        var state = Read(await SettingRows.FindAsync(unit.Connection, unit.Transaction, Setting));
        if (state.On)
            throw new DunlinException(DocumentErrors.Maintenance, state.Message.Length > 0 ? state.Message : null)
            {
                RetryAfter = RetryAfter,
            };
    }

    public static async ValueTask<MaintenanceState> ReadAsync(IReadScope scope) =>
        Read(await SettingRows.FindAsync(scope.Connection, null, Setting));

    /// <summary>Turns it on or off and tells everybody, whoever did.</summary>
    public static async ValueTask SetAsync(IUnitOfWork unit, MaintenanceState state, CancellationToken cancellationToken)
    {
        await SettingRows.SetAsync(unit, Setting, JsonSerializer.Serialize(state));
        await unit.AppendAsync(
            EventDraft.Of(DocumentNames.NoticesTopic, DocumentEvents.MaintenanceChanged, new { on = state.On, message = state.Message }),
            cancellationToken
        );
    }

    private static MaintenanceState Read(string? value) =>
        value is null ? new MaintenanceState(false, "") : JsonSerializer.Deserialize<MaintenanceState>(value)!;
}
