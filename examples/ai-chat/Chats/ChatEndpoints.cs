using System.Text.RegularExpressions;
using AiChat.Answers;
using Dapper;
using Dunlin.Diagnostics;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Security;

namespace AiChat.Chats;

/// <summary>Lists conversations, reads one, and takes questions.</summary>
public static partial class ChatEndpoints
{
    private const int MaxText = 8_000;

    /// <summary>The largest request in bytes: a question of that length, with each character escaped.</summary>
    private const int MaxBody = 64 * 1024;

    public static void MapChats(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/chats", ListAsync);
        app.MapGet("/api/chats/{chat}", ReadAsync);
        app.MapPut("/api/chats/{chat}/turns/{id}", AskAsync);
    }

    /// <summary>Refuses ids that are no part of a topic, a resource or an address.</summary>
    public static TurnKey KeyOf(HttpContext http, string chat, string id)
    {
        Check(chat, "chat");
        Check(id, "id");
        return new TurnKey(http.RequireCaller().UserId, chat, id);
    }

    private static async Task<IEnumerable<ChatTitle>> ListAsync(HttpContext http, IStore store)
    {
        var userId = http.RequireCaller().UserId;
        // The first question is the title of its conversation.
        const string sql = """
            SELECT first.chat AS chat, first.text AS title FROM turn AS first
            WHERE first.user_id = @userId
                AND first.number = (SELECT MIN(number) FROM turn WHERE user_id = @userId AND chat = first.chat)
            ORDER BY first.number DESC LIMIT 100
            """;
        return await store.ReadAsync(
            async (scope, _) => await scope.Connection.QueryAsync<ChatTitle>(sql, new { userId }),
            http.RequestAborted
        );
    }

    private static async Task<IReadOnlyList<Turn>> ReadAsync(HttpContext http, string chat, IStore store)
    {
        Check(chat, "chat");
        var userId = http.RequireCaller().UserId;
        return await store.ReadAsync((scope, _) => Turns.ListAsync(scope, userId, chat), http.RequestAborted);
    }

    // <ai-ask>
    private static async Task<Asked> AskAsync(HttpContext http, string chat, string id, IStore store)
    {
        var key = KeyOf(http, chat, id);
        var origin = http.RequireCaller().AsOrigin();
        var body = await RequestBody.ReadAsync<Question>(http, MaxBody, http.RequestAborted);
        Check(body);
        return await store.WriteAsync(
            async (unit, cancellationToken) =>
            {
                var answerKey = key with { Id = key.Id + "-answer" };
                // The page chose the id, so a request that is repeated after a lost response changes nothing.
                if (await Turns.FindAsync(unit, key) is { } known)
                    return known.Text == body.Text
                        ? new Asked(known, (await Turns.FindAsync(unit, answerKey))!)
                        : throw new DunlinException(ErrorCode.Conflict, $"Another question has the id '{id}'. Choose a new id.", "id");
                if (await Turns.FindWritingAsync(unit, key.UserId, chat) is not null)
                    throw new DunlinException(ErrorCode.Conflict, "The model is still answering. Wait, or stop the answer first.");

                var question = await Turns.AddAsync(unit, key, "user", body.Text, TurnState.Done, origin, cancellationToken);
                var answer = await Turns.AddAsync(unit, answerKey, "assistant", "", TurnState.Writing, origin, cancellationToken);
                var request = new JobRequest { Id = answerKey.ToString(), FairnessKey = key.UserId };
                await unit.Jobs().EnqueueAsync(AnswerJob.Type, new AnswerJob(answerKey), request, cancellationToken);
                return new Asked(question, answer);
            }
        );
    }

    // </ai-ask>

    private static void Check(string id, string field)
    {
        if (!Id().IsMatch(id))
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must have 4 to 60 letters, digits and hyphens.", field);
    }

    private static void Check(Question question)
    {
        if (string.IsNullOrWhiteSpace(question.Text) || question.Text.Length > MaxText)
            throw new DunlinException(ErrorCode.InvalidField, $"'text' must have 1 to {MaxText} characters.", "text");
    }

    [GeneratedRegex("^[A-Za-z0-9-]{4,60}$")]
    private static partial Regex Id();
}

/// <summary>The body of a request that asks.</summary>
public sealed record Question(string Text);

/// <summary>The stored question and its answer, whose text arrives as events.</summary>
public sealed record Asked(Turn Question, Turn Answer);

/// <summary>An entry of the list of conversations.</summary>
public sealed record ChatTitle(string Chat, string Title);
