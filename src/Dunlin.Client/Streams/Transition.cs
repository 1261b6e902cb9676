using System.Runtime.InteropServices;

namespace Dunlin.Client.Streams;

/// <summary>An input of the state machine.</summary>
internal abstract record ConnectionInput
{
    public sealed record Connect : ConnectionInput;

    public sealed record Disconnect : ConnectionInput;

    public sealed record Opened(string? ConnectionId) : ConnectionInput;

    /// <summary>The stream could not be opened, ended, broke or was silent.</summary>
    public sealed record Failed(ClientProblem Problem, bool IsSteady) : ConnectionInput;

    public sealed record Goodbye(string Reason, TimeSpan? ReconnectIn, bool IsSteady) : ConnectionInput;

    /// <summary>The delay is over.</summary>
    public sealed record Due : ConnectionInput;
}

/// <summary>The values that a transition depends on besides state and input.</summary>
/// <param name="Random">A number in [0, 1).</param>
/// <param name="Retry">The server's last <c>retry</c> field, with the server's jitter.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TransitionContext(double Random, TimeSpan? Retry);

/// <summary>The transition function, the same as in <c>clients/typescript/src/connection/state.ts</c>.</summary>
internal static class Transition
{
    /// <summary>Returns the next state, or the same object if nothing changes. Invariant: no other code changes a state.</summary>
    public static ConnectionState Apply(ConnectionState state, ConnectionInput input, TransitionContext context) =>
        input switch
        {
            ConnectionInput.Connect when state.Status is ConnectionStatus.Closed or ConnectionStatus.SignedOut => Connecting(state, 0),
            ConnectionInput.Disconnect when state.Status is not ConnectionStatus.SignedOut and not ConnectionStatus.Closed => new()
            {
                Stream = state.Stream,
            },
            ConnectionInput.Opened opened when IsOpen(state) => Live(state, opened.ConnectionId),
            ConnectionInput.Failed failed when IsOpen(state) => Fail(state, failed, context),
            ConnectionInput.Goodbye goodbye when IsOpen(state) => SayGoodbye(state, goodbye, context),
            ConnectionInput.Due when state.Status == ConnectionStatus.Waiting => Connecting(state, state.Attempt, state.Renews),
            _ => state,
        };

    /// <summary>Returns whether a stream is open or being opened.</summary>
    public static bool IsOpen(ConnectionState state) => state.Status is ConnectionStatus.Connecting or ConnectionStatus.Live;

    private static ConnectionState Connecting(ConnectionState state, int attempt, bool renews = false) =>
        new()
        {
            Status = ConnectionStatus.Connecting,
            Stream = state.Stream + 1,
            Attempt = attempt,
            Renews = renews,
        };

    private static ConnectionState Live(ConnectionState state, string? connectionId) =>
        state.Status == ConnectionStatus.Live && state.ConnectionId == connectionId
            ? state
            : new()
            {
                Status = ConnectionStatus.Live,
                Stream = state.Stream,
                Attempt = state.Attempt,
                ConnectionId = connectionId,
            };

    private static ConnectionState Fail(ConnectionState state, ConnectionInput.Failed failed, TransitionContext context)
    {
        var attempt = failed.IsSteady ? 0 : state.Attempt;
        var problem = failed.Problem;
        return problem.Kind switch
        {
            ProblemKind.Network or ProblemKind.Aborted => Wait(state, attempt, context, problem),
            ProblemKind.Busy or ProblemKind.OutcomeUnknown => Wait(state, attempt, context, problem, problem.RetryAfter),
            ProblemKind.SignedOut => SignedOut(state, SignedOutReason.Unauthorized, problem),
            _ => new() { Stream = state.Stream, Problem = problem },
        };
    }

    private static ConnectionState SayGoodbye(ConnectionState state, ConnectionInput.Goodbye goodbye, TransitionContext context)
    {
        switch (goodbye.Reason)
        {
            case "signedOut":
                return SignedOut(state, SignedOutReason.SignedOut);
            case "revoked":
                return SignedOut(state, SignedOutReason.Revoked);
        }
        var attempt = goodbye.IsSteady ? 0 : state.Attempt;
        if (goodbye.Reason == "tokenExpired")
        {
            // The delay prevents a tight loop against a server whose tokens expire as soon as they are issued.
            return goodbye.IsSteady
                ? Connecting(state, 0, renews: true)
                : Wait(state, attempt, context, problem: null) with
                {
                    Renews = true,
                };
        }
        return goodbye.ReconnectIn is { } delay
            ? Waiting(state, attempt) with
            {
                Delay = delay,
                IsServerMandated = true,
            }
            : Wait(state, attempt, context, problem: null);
    }

    private static ConnectionState SignedOut(ConnectionState state, SignedOutReason reason, ClientProblem? problem = null) =>
        new()
        {
            Status = ConnectionStatus.SignedOut,
            Stream = state.Stream,
            SignedOutReason = reason,
            Problem = problem,
        };

    private static ConnectionState Waiting(ConnectionState state, int attempt) =>
        new()
        {
            Status = ConnectionStatus.Waiting,
            Stream = state.Stream,
            Attempt = attempt + 1,
        };

    private static ConnectionState Wait(
        ConnectionState state,
        int attempt,
        TransitionContext context,
        ClientProblem? problem,
        TimeSpan? retryAfter = null
    )
    {
        var waiting = Waiting(state, attempt) with { Problem = problem };
        // Retry-After is the same for all clients, so the client adds jitter.
        if (retryAfter is { } after)
            return waiting with { Delay = after + TimeSpan.FromMilliseconds(Math.Round(context.Random * 1000)), IsServerMandated = true };
        var first = attempt == 0 ? context.Retry : null;
        return waiting with { Delay = first ?? Backoff.Delay(attempt, context.Random) };
    }
}
