using System.Data.Common;
using Dapper;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Focus.Devices;

/// <summary>The devices of users. The first user of a device id owns it and may rename it.</summary>
internal sealed class FocusDevices(IStore store, UserDevices devices)
{
    /// <summary>Returns the device of a request and records a new one.</summary>
    /// <param name="http">The request.</param>
    /// <param name="named">The device id in the body. It must equal the one in the header or the query.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.InvalidField"/>: no device id, an invalid one, or two different ones. <see cref="ErrorCode.Forbidden"/>: the
    /// device belongs to another user. <see cref="ErrorCode.LimitReached"/>: too many connected devices.
    /// </exception>
    public async ValueTask<string> RequireAsync(HttpContext http, string? named, CancellationToken cancellationToken)
    {
        var caller = http.RequireCaller();
        if (named is not null && caller.DeviceId is { } said && !string.Equals(said, DeviceId.Check(named), StringComparison.Ordinal))
            throw new DunlinException(
                ErrorCode.InvalidField,
                "'deviceId' differs from the header Dunlin-Device or the query. Send the same id.",
                "deviceId"
            );
        var deviceId = named is null ? caller.DeviceId : DeviceId.Check(named);
        if (deviceId is null)
            throw new DunlinException(
                ErrorCode.InvalidField,
                "'deviceId' is missing. Send it in the body, the query or the header Dunlin-Device.",
                "deviceId"
            );
        await NoteAsync(caller, deviceId, http.Request.Headers.UserAgent, cancellationToken);
        return deviceId;
    }

    public ValueTask NoteAsync(HttpContext http, string deviceId, CancellationToken cancellationToken) =>
        NoteAsync(http.RequireCaller(), deviceId, http.Request.Headers.UserAgent, cancellationToken);

    public async ValueTask<IReadOnlyList<DeviceView>> ListAsync(Caller caller, CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(
            async (scope, _) =>
                (
                    await scope.Connection.QueryAsync<DeviceRow>(
                        "SELECT device_id AS DeviceId, name FROM focus_device WHERE user_id = @userId ORDER BY created_at, device_id",
                        new { userId = caller.UserId }
                    )
                ).ToList(),
            cancellationToken
        );
        return await ViewAsync(caller, rows, cancellationToken);
    }

    public async ValueTask<DeviceView> RenameAsync(Caller caller, string deviceId, string? name, CancellationToken cancellationToken)
    {
        var row = new DeviceRow(DeviceId.Check(deviceId), WireText.Title(name, "name", 60));
        await store.WriteAsync(
            async (unit, ct) =>
            {
                await RequireOwnedAsync(unit.Connection, unit.Transaction, caller.UserId, deviceId, "deviceId");
                await unit.Connection.ExecuteAsync(
                    "UPDATE focus_device SET name = @Name WHERE device_id = @DeviceId",
                    row,
                    unit.Transaction
                );
                await devices.BroadcastAsync(unit, caller.UserId, "devices", "updated", row, caller.DeviceId, cancellationToken: ct);
            },
            cancellationToken
        );
        return (await ViewAsync(caller, [row], cancellationToken))[0];
    }

    public static async ValueTask<string> NameAsync(IUnitOfWork unit, string deviceId) =>
        await NameAsync(unit.Connection, unit.Transaction, deviceId);

    public static async ValueTask<string> NameAsync(DbConnection connection, DbTransaction? transaction, string deviceId) =>
        await connection.ExecuteScalarAsync<string>(
            "SELECT name FROM focus_device WHERE device_id = @deviceId",
            new { deviceId },
            transaction
        ) ?? "Device";

    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>, <see cref="ErrorCode.Forbidden"/>.</exception>
    public static async ValueTask RequireOwnedAsync(
        DbConnection connection,
        DbTransaction? transaction,
        string userId,
        string deviceId,
        string field
    )
    {
        var owner =
            await OwnerAsync(connection, transaction, deviceId)
            ?? throw new DunlinException(ErrorCode.NotFound, $"No device with id '{deviceId}'.", field);
        RequireOwner(owner, userId, field);
    }

    private async ValueTask<IReadOnlyList<DeviceView>> ViewAsync(
        Caller caller,
        IReadOnlyList<DeviceRow> rows,
        CancellationToken cancellationToken
    )
    {
        var connected = await devices.ConnectedDevicesAsync(caller.UserId, cancellationToken);
        return
        [
            .. rows.Select(row => new DeviceView(
                row.DeviceId,
                row.Name,
                connected.Value.Contains(row.DeviceId) ? true
                    : connected.IsComplete ? false
                    : null,
                string.Equals(row.DeviceId, caller.DeviceId, StringComparison.Ordinal)
            )),
        ];
    }

    private async ValueTask NoteAsync(Caller caller, string deviceId, string? userAgent, CancellationToken cancellationToken)
    {
        var owner = await store.ReadAsync(async (scope, _) => await OwnerAsync(scope.Connection, null, deviceId), cancellationToken);
        if (owner is not null)
        {
            RequireOwner(owner, caller.UserId, "deviceId");
            return;
        }
        IReadOnlySet<string>? connected = null;
        // Query the connected devices only at the limit, and outside the unit of work: the other nodes answer over the network.
        while (!await store.WriteAsync((unit, _) => AddAsync(unit, caller, deviceId, userAgent, connected), cancellationToken))
            connected = (await devices.ConnectedDevicesAsync(caller.UserId, cancellationToken)).Value;
    }

    /// <returns>False at the device limit while <paramref name="connected"/> is null.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LimitReached"/>: all devices are connected.</exception>
    private static async ValueTask<bool> AddAsync(
        IUnitOfWork unit,
        Caller caller,
        string deviceId,
        string? userAgent,
        IReadOnlySet<string>? connected
    )
    {
        if (await OwnerAsync(unit.Connection, unit.Transaction, deviceId) is { } other)
        {
            RequireOwner(other, caller.UserId, "deviceId");
            return true;
        }
        var known = (
            await unit.Connection.QueryAsync<string>(
                "SELECT device_id FROM focus_device WHERE user_id = @userId ORDER BY created_at, device_id",
                new { userId = caller.UserId },
                unit.Transaction
            )
        ).AsList();
        if (known.Count >= FocusLimits.Devices)
        {
            if (connected is null)
                return false;
            var oldest =
                known.Find(id => !connected.Contains(id))
                ?? throw DunlinException.Limit(FocusLimits.Devices, "connected devices for each user; close one first", "deviceId");
            await unit.Connection.ExecuteAsync("DELETE FROM focus_device WHERE device_id = @oldest", new { oldest }, unit.Transaction);
        }
        await unit.Connection.ExecuteAsync(
            "INSERT INTO focus_device (device_id, user_id, name, created_at) VALUES (@deviceId, @userId, @name, @now)",
            new
            {
                deviceId,
                userId = caller.UserId,
                name = await FreeNameAsync(unit, caller.UserId, userAgent),
                now = unit.Now.ToUnixTimeMilliseconds(),
            },
            unit.Transaction
        );
        return true;
    }

    private static async Task<string> FreeNameAsync(IUnitOfWork unit, string userId, string? userAgent)
    {
        var wanted = DeviceNames.Of(userAgent);
        var taken = (
            await unit.Connection.QueryAsync<string>(
                "SELECT name FROM focus_device WHERE user_id = @userId",
                new { userId },
                unit.Transaction
            )
        ).ToHashSet(StringComparer.Ordinal);
        var name = wanted;
        for (var i = 2; taken.Contains(name); i++)
            name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{wanted} {i}");
        return name;
    }

    private static Task<string?> OwnerAsync(DbConnection connection, DbTransaction? transaction, string deviceId) =>
        connection.ExecuteScalarAsync<string?>(
            "SELECT user_id FROM focus_device WHERE device_id = @deviceId",
            new { deviceId },
            transaction
        );

    private static void RequireOwner(string owner, string userId, string field)
    {
        if (!string.Equals(owner, userId, StringComparison.Ordinal))
            throw new DunlinException(ErrorCode.Forbidden, $"The device id in '{field}' belongs to another user.", field);
    }

    private sealed record DeviceRow(string DeviceId, string Name);
}
