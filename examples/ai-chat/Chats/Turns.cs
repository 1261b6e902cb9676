using Dapper;
using Dunlin.Journal;
using Dunlin.Topics;

namespace AiChat.Chats;

/// <summary>Reads and writes rows of turns. Each write appends its event to the topic of the conversation, in its transaction.</summary>
public static class Turns
{
    private const string Columns = "chat, id, number, role, text, state, error, version";

    public static async ValueTask<Turn?> FindAsync(IUnitOfWork unit, TurnKey key) =>
        await unit.Connection.QuerySingleOrDefaultAsync<Turn>(
            $"SELECT {Columns} FROM turn WHERE user_id = @UserId AND chat = @Chat AND id = @Id",
            key,
            unit.Transaction
        );

    public static async ValueTask<IReadOnlyList<Turn>> ListAsync(IReadScope scope, string userId, string chat) =>
        [
            .. await scope.Connection.QueryAsync<Turn>(
                $"SELECT {Columns} FROM turn WHERE user_id = @userId AND chat = @chat ORDER BY number",
                new { userId, chat }
            ),
        ];

    /// <summary>Returns the answer that the conversation is waiting for.</summary>
    public static async ValueTask<Turn?> FindWritingAsync(IUnitOfWork unit, string userId, string chat) =>
        await unit.Connection.QueryFirstOrDefaultAsync<Turn>(
            $"SELECT {Columns} FROM turn WHERE user_id = @userId AND chat = @chat AND state = 'writing'",
            new { userId, chat },
            unit.Transaction
        );

    public static async ValueTask<Turn> AddAsync(
        IUnitOfWork unit,
        TurnKey key,
        string role,
        string text,
        string state,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        var offset = (await unit.NextPositionAsync(cancellationToken)).Offset;
        var turn = new Turn(key.Chat, key.Id, offset, role, text, state, null, offset);
        const string sql =
            "INSERT INTO turn (user_id, chat, id, number, role, text, state, version) "
            + "VALUES (@UserId, @Chat, @Id, @Number, @Role, @Text, @State, @Version)";
        await unit.Connection.ExecuteAsync(
            sql,
            new
            {
                key.UserId,
                turn.Chat,
                turn.Id,
                turn.Number,
                turn.Role,
                turn.Text,
                turn.State,
                turn.Version,
            },
            unit.Transaction
        );
        await unit.AppendAsync(EventDraft.Of(TopicOf(key), "turn.added", turn, origin), cancellationToken);
        return turn;
    }

    // <ai-append>
    /// <summary>Adds tokens to an answer: the row and the event commit together.</summary>
    public static async ValueTask AppendAsync(IUnitOfWork unit, TurnKey key, string text, CancellationToken cancellationToken)
    {
        var version = (await unit.NextPositionAsync(cancellationToken)).Offset;
        await unit.Connection.ExecuteAsync(
            "UPDATE turn SET text = text || @text, version = @version WHERE user_id = @UserId AND chat = @Chat AND id = @Id",
            new
            {
                text,
                version,
                key.UserId,
                key.Chat,
                key.Id,
            },
            unit.Transaction
        );
        var tokens = new
        {
            key.Chat,
            key.Id,
            text,
            version,
        };
        await unit.AppendAsync(EventDraft.Of(TopicOf(key), "answer.tokens", tokens), cancellationToken);
    }

    // </ai-append>

    /// <summary>Sets the state of an answer. The event has no text: a page has it already.</summary>
    public static async ValueTask SetStateAsync(
        IUnitOfWork unit,
        TurnKey key,
        string state,
        string? error,
        EventOrigin? origin,
        CancellationToken cancellationToken
    )
    {
        var version = (await unit.NextPositionAsync(cancellationToken)).Offset;
        var change = new
        {
            key.Chat,
            key.Id,
            state,
            error,
            version,
        };
        await unit.Connection.ExecuteAsync(
            "UPDATE turn SET state = @state, error = @error, version = @version WHERE user_id = @UserId AND chat = @Chat AND id = @Id",
            new
            {
                state,
                error,
                version,
                key.UserId,
                key.Chat,
                key.Id,
            },
            unit.Transaction
        );
        await unit.AppendAsync(EventDraft.Of(TopicOf(key), "answer.state", change, origin), cancellationToken);
    }

    private static TopicName TopicOf(TurnKey key) => TopicName.Of("chats", key.UserId, key.Chat);
}
