using System.Text.Json.Serialization;

namespace Dunlin.Topics;

/// <summary>A change of access: an ended session, changed rights of one user, or changed access of all users.</summary>
/// <param name="UserId">The user; empty for all users.</param>
/// <param name="SessionId">The ended session; null if rights have changed.</param>
/// <param name="Reason">The reason for the end of the session.</param>
/// <param name="LastFrame">The final frame for the streams of the session.</param>
internal sealed record AccessChange(string UserId, string? SessionId, string? Reason, byte[]? LastFrame)
{
    /// <summary>The access of all users may have changed. The empty user id marks it: no user has one.</summary>
    public static readonly AccessChange Everything = new("", null, null, null);

    [JsonIgnore]
    public (string UserId, string? SessionId) Key => (UserId, SessionId);

    public static AccessChange OfRights(string userId) => new(userId, null, null, null);

    public static AccessChange OfSession(EndedSession ended) =>
        new(ended.UserId, ended.SessionId, ended.Reason, ended.LastFrame.IsEmpty ? null : ended.LastFrame.ToArray());

    /// <summary>Notifies the listeners of this node.</summary>
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
