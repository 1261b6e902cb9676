using AiChat.Chats;

namespace AiChat.Answers;

/// <summary>The job that writes one answer.</summary>
public sealed record AnswerJob(TurnKey Key)
{
    public const string Type = "answer";
}
