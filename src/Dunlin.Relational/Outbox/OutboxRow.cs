using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Relational.Sql;
using Dunlin.Topics;

namespace Dunlin.Relational.Outbox;

/// <summary>A row of the outbox: one event. Immutable.</summary>
internal sealed record OutboxRow(long Number, long Id, string Topic, string Type, byte[] Data, EventOrigin Origin, byte[]? Extra)
{
    /// <summary>The columns that a publisher inserts, in the order of <see cref="Values"/>.</summary>
    public const string Columns = "topic, type, data, user_id, session_id, connection_id, device_id, extra";

    /// <summary>The number of <see cref="Columns"/>.</summary>
    public const int ColumnCount = 8;

    /// <summary>Reads the columns <c>id</c> and <see cref="Columns"/>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="number">The place of the row in the order.</param>
    /// <param name="first">The column of the id.</param>
    public static OutboxRow Read(ISqlRow row, long number, int first) =>
        new(
            number,
            row.Number(first),
            row.Text(first + 1),
            row.Text(first + 2),
            row.Bytes(first + 3),
            new EventOrigin(row.TextOrNull(first + 4), row.TextOrNull(first + 5), row.TextOrNull(first + 6), row.TextOrNull(first + 7)),
            row.IsNull(first + 8) ? null : row.Bytes(first + 8)
        );

    /// <summary>Returns the values of <see cref="Columns"/>.</summary>
    public static object?[] Values(EventDraft draft) =>
        [
            draft.Topic.Value,
            draft.Type,
            draft.Data.ToArray(),
            draft.Origin?.UserId,
            draft.Origin?.SessionId,
            draft.Origin?.ConnectionId,
            draft.Origin?.DeviceId,
            draft.Extra?.Encode(),
        ];

    /// <summary>Returns the event of the row. The row may be of any program, so everything is checked.</summary>
    /// <exception cref="DunlinException">A value is not valid.</exception>
    /// <exception cref="FormatException">The extra values are not those of an event.</exception>
    public EventDraft ToDraft() =>
        new(TopicName.FromStored(Topic), Type, Data, Origin == new EventOrigin() ? null : Origin)
        {
            Extra = Extra is null ? null : EventExtra.Decode(Extra),
        };

    /// <summary>Adds the values of <see cref="Columns"/> to a call. Empty bytes stand for no extra values.</summary>
    public SqlCall AddTo(SqlCall call) =>
        call.Text(Topic)
            .Text(Type)
            .Bytes(Data)
            .Text(Origin.UserId)
            .Text(Origin.SessionId)
            .Text(Origin.ConnectionId)
            .Text(Origin.DeviceId)
            .Bytes(Extra ?? []);
}
