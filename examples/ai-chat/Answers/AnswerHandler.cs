using AiChat.Chats;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;

namespace AiChat.Answers;

/// <summary>Writes one answer: reads tokens from the model and commits them in batches.</summary>
/// <remarks>
/// Two holds with two purposes. The claim of the job decides who writes, across restarts and nodes. The lease <c>answers/{turn}</c> is how
/// everybody else ends the answer: a stop releases it, which cancels the request to the model and refuses all later batches.
/// </remarks>
public sealed class AnswerHandler(ChatModel model, IStore store, ILeases leases) : IJobHandler<AnswerJob>
{
    public static ResourceName LeaseOf(TurnKey key) => ResourceName.Of("answers", key.UserId, key.Chat, key.Id);

    // <ai-run>
    public async ValueTask RunAsync(JobRun<AnswerJob> run, CancellationToken cancellationToken)
    {
        var key = run.Value.Key;
        await using var lease = await AcquireAsync(run, cancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        var turns = await store.ReadAsync((scope, _) => Turns.ListAsync(scope, key.UserId, key.Chat), ending.Token);
        // After a restart the answer has the tokens that were committed, and the model continues them.
        var prompt = turns.TakeWhile(turn => turn.Id != key.Id).Append(turns.Single(turn => turn.Id == key.Id));
        try
        {
            await foreach (var text in model.AnswerAsync(prompt, ending.Token))
            {
                await run.WriteAsync(
                    async (unit, ct) =>
                    {
                        await unit.Leases.RequireAsync(lease, ct);
                        await Turns.AppendAsync(unit, key, text, ct);
                    },
                    cancellationToken
                );
            }
        }
        catch (ModelException error)
        {
            throw new JobFailedException(error.Message, isFinal: true, error); // the user decides about the next attempt
        }
        await run.CompleteAsync(
            async (unit, ct) =>
            {
                await unit.Leases.RequireAsync(lease, ct);
                await Turns.SetStateAsync(unit, key, TurnState.Done, null, null, ct);
            },
            cancellationToken
        );
    }

    // </ai-run>

    // <ai-failed>
    public async ValueTask OnFailedAsync(JobFailure<AnswerJob> failure, CancellationToken cancellationToken)
    {
        if (!failure.IsFinal || failure.Value is not { } job)
            return; // the next attempt continues the answer
        var error = failure.Exception is JobFailedException known ? known.Message : "The answer was interrupted too often.";
        await Turns.SetStateAsync(failure.Unit, job.Key, TurnState.Failed, error, null, cancellationToken);
    }

    // </ai-failed>

    // <ai-lease>
    private async ValueTask<Lease> AcquireAsync(JobRun<AnswerJob> run, CancellationToken cancellationToken)
    {
        LeaseClaim? claim = null;
        await run.WriteAsync(
            async (unit, ct) =>
            {
                // Only the worker that has claimed the job gets here. A lease that is still held belongs to a worker that is gone.
                var resource = LeaseOf(run.Value.Key);
                await unit.Leases.ForceReleaseAsync(resource, cancellationToken: ct);
                claim = (await unit.Leases.TryAcquireAsync(resource, cancellationToken: ct))!.Claim;
            },
            cancellationToken
        );
        return await leases.AttachAsync(claim!, new LeaseSettings { AutoRenew = true }, cancellationToken);
    }
    // </ai-lease>
}
