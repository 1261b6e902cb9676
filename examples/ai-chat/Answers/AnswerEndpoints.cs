using AiChat.Chats;
using Dunlin.Diagnostics;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Security;

namespace AiChat.Answers;

/// <summary>Stops an answer, and continues one that was stopped or has failed.</summary>
public static class AnswerEndpoints
{
    public static void MapAnswers(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/chats/{chat}/turns/{id}/stop", StopAsync);
        app.MapPost("/api/chats/{chat}/turns/{id}/retry", RetryAsync);
    }

    // <ai-stop>
    private static async Task<IResult> StopAsync(HttpContext http, string chat, string id, IStore store)
    {
        var key = ChatEndpoints.KeyOf(http, chat, id);
        var origin = http.RequireCaller().AsOrigin();
        await store.WriteAsync(
            async (unit, cancellationToken) =>
            {
                var answer = await FindAsync(unit, key);
                if (answer.State != TurnState.Writing)
                    return; // it has ended already: a repeated stop is no error
                await unit.Jobs().CancelAsync(AnswerJob.Type, key.ToString(), cancellationToken);
                await unit.Leases.ForceReleaseAsync(AnswerHandler.LeaseOf(key), origin, cancellationToken);
                await Turns.SetStateAsync(unit, key, TurnState.Stopped, null, origin, cancellationToken);
            }
        );
        return Results.NoContent();
    }

    // </ai-stop>

    private static async Task<IResult> RetryAsync(HttpContext http, string chat, string id, IStore store)
    {
        var key = ChatEndpoints.KeyOf(http, chat, id);
        var origin = http.RequireCaller().AsOrigin();
        await store.WriteAsync(
            async (unit, cancellationToken) =>
            {
                var answer = await FindAsync(unit, key);
                if (answer.State == TurnState.Writing)
                    return; // it is being written already: a repeated retry is no error
                if (answer.State == TurnState.Done)
                    throw new DunlinException(ErrorCode.Conflict, "The answer is complete. Ask a new question.");
                if (await Turns.FindWritingAsync(unit, key.UserId, chat) is not null)
                    throw new DunlinException(ErrorCode.Conflict, "The model is still answering. Wait, or stop the answer first.");
                var request = new JobRequest { Id = key.ToString(), FairnessKey = key.UserId };
                await unit.Jobs().EnqueueAsync(AnswerJob.Type, new AnswerJob(key), request, cancellationToken);
                await Turns.SetStateAsync(unit, key, TurnState.Writing, null, origin, cancellationToken);
            }
        );
        return Results.NoContent();
    }

    private static async ValueTask<Turn> FindAsync(IUnitOfWork unit, TurnKey key) =>
        await Turns.FindAsync(unit, key) is { Role: "assistant" } answer
            ? answer
            : throw new DunlinException(ErrorCode.NotFound, $"No answer with the id '{key.Id}' in the conversation '{key.Chat}'.");
}
