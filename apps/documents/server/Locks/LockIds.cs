using System.Security.Cryptography;
using System.Text;
using Dapper;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Locks;

/// <summary>
/// The lease ids of this system. Its lock calls carry only the file, because a lock belongs to a session: so the id is made
/// here, from the session and a key that lies in the database, and is told to nobody. All tabs of a session share it; the
/// fencing token, which each of them is told, is what tells one grant from a later one. A credential without a session
/// (a token of another issuer) counts as one session of its user.
/// </summary>
internal sealed class LockIds(IStore store)
{
    private const string Setting = "lock_key";

    private byte[]? _key;

    /// <summary>The lease id of the caller's session.</summary>
    public async ValueTask<string> OfAsync(Caller caller, CancellationToken cancellationToken)
    {
        var key = _key ??= await LoadAsync(cancellationToken);
        var owner = caller.SessionId is { } session ? "session " + session : "user " + caller.UserId;
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(owner)));
    }

    // Whoever asks first makes the key; the others find it.
    private async ValueTask<byte[]> LoadAsync(CancellationToken cancellationToken)
    {
        var made = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var kept = await store.WriteAsync(
            async (unit, _) =>
            {
                await unit.Connection.ExecuteAsync(
                    "INSERT INTO documents_setting (name, value) VALUES (@Setting, @made) ON CONFLICT DO NOTHING",
                    new { Setting, made },
                    unit.Transaction
                );
                return await SettingRows.FindAsync(unit.Connection, unit.Transaction, Setting);
            },
            cancellationToken
        );
        return Convert.FromHexString(kept!);
    }
}
