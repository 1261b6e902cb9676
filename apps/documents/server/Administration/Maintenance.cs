using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Administration;

/// <summary>Whether only administrators may write now, and why.</summary>
internal sealed record MaintenanceState(bool On, string Message);

/// <summary>The maintenance mode. Every write checks it in its transaction, so that no write commits after the mode was set.</summary>
internal static class Maintenance
{
    private const string Setting = "maintenance";

    // Long enough to avoid requests every second, short enough to resume saving soon after the end.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    public static async ValueTask RequireOffAsync(IUnitOfWork unit, Caller caller)
    {
        if (caller.IsAdministrator)
            return;
        var state = Read(await SettingRows.FindAsync(unit.Connection, unit.Transaction, Setting));
        if (state.On)
            throw Refusal(state.Message);
    }

    /// <summary>Returns the error for a write during maintenance.</summary>
    public static DunlinException Refusal(string message) =>
        new(DocumentErrors.Maintenance, message.Length > 0 ? message : null) { RetryAfter = RetryAfter };

    public static async ValueTask<MaintenanceState> ReadAsync(IReadScope scope) =>
        Read(await SettingRows.FindAsync(scope.Connection, null, Setting));

    /// <summary>Sets the mode and announces it to all users, including the caller.</summary>
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
