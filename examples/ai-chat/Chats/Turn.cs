namespace AiChat.Chats;

/// <summary>A question or an answer, as its row and as the page gets it.</summary>
/// <param name="Chat">The conversation.</param>
/// <param name="Id">The id in the conversation.</param>
/// <param name="Number">The order in the conversation.</param>
/// <param name="Role"><c>user</c> or <c>assistant</c>.</param>
/// <param name="Text">The text so far.</param>
/// <param name="State">A member of <see cref="TurnState"/>.</param>
/// <param name="Error">Why the state is <c>failed</c>.</param>
/// <param name="Version">The journal offset of the last change.</param>
public sealed record Turn(string Chat, string Id, long Number, string Role, string Text, string State, string? Error, long Version);

/// <summary>The states of an answer. A question is always <see cref="Done"/>.</summary>
/// <remarks>
/// <code>
/// writing ── complete ──▶ done
///    │ ▲─── retry ───── stopped ◀── stop of the user
///    └─────retry ────── failed  ◀── error of the model, or too many killed workers
/// </code>
/// </remarks>
public static class TurnState
{
    public const string Writing = "writing";
    public const string Done = "done";
    public const string Stopped = "stopped";
    public const string Failed = "failed";
}

/// <summary>Names one turn of one user.</summary>
public sealed record TurnKey(string UserId, string Chat, string Id)
{
    /// <summary>The name of the job and, below <c>answers/</c>, of the lease.</summary>
    public override string ToString() => $"{UserId}/{Chat}/{Id}";
}
