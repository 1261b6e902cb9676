using System.Text.Json.Serialization;

namespace Dunlin.Topics;

/// <summary>One change of access: of one session, of one user's rights, or of everybody's everything.</summary>
/// <param name="UserId">Whose.</param>
/// <param name="SessionId">The session that has ended; null where rights have changed.</param>
/// <param name="Reason">Why the session has ended.</param>
/// <param name="LastFrame">For the streams of the session.</param>
internal sealed record AccessChange(string UserId, string? SessionId, string? Reason, byte[]? LastFrame)
{
    /// <summary>Anything may have changed, for anybody. No user has an empty id.</summary>
    public static readonly AccessChange Everything = new("", null, null, null);

    [JsonIgnore]
    public (string UserId, string? SessionId) Key => (UserId, SessionId);

    public static AccessChange OfRights(string userId) => new(userId, null, null, null);

    public static AccessChange OfSession(EndedSession ended) =>
        new(ended.UserId, ended.SessionId, ended.Reason, ended.LastFrame.IsEmpty ? null : ended.LastFrame.ToArray());

    /// <summary>Tells the listeners of a node.</summary>
    public void Tell(AccessChanges changes)
    {
        if (UserId.Length == 0)
            changes.EverythingChanged();
        else if (SessionId is null)
            changes.RightsChanged(UserId);
        else
            changes.SessionEnded(new EndedSession(UserId, SessionId, Reason ?? "") { LastFrame = LastFrame });
    }
}
