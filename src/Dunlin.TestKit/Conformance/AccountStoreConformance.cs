using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>What every <see cref="IAccountStore"/> and <see cref="ISessionStore"/> owes.</summary>
public abstract class AccountStoreConformance : ConformanceSuite
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task An_account_is_found_by_id_and_by_name_without_case()
    {
        var account = new AccountRow("u1", "Älice", "Alice Ünal", "hash", ["admin", "user"]);
        await Subject.Accounts.SaveAsync(account, Cancellation);
        AssertSame(account, await Subject.Accounts.FindByIdAsync("u1", Cancellation));
        AssertSame(account, await Subject.Accounts.FindByNameAsync("äLICE", Cancellation));
        Assert.Null(await Subject.Accounts.FindByNameAsync("alic", Cancellation));
        Assert.Null(await Subject.Accounts.FindByIdAsync("U1", Cancellation));
    }

    [Fact]
    public async Task Saving_replaces_the_account_with_the_id_and_frees_its_old_name()
    {
        await Subject.Accounts.SaveAsync(new AccountRow("u1", "alice", "Alice", "h1", []), Cancellation);
        await Subject.Accounts.SaveAsync(new AccountRow("u1", "alicia", "Alicia", "h2", ["x"]), Cancellation);
        AssertSame(new AccountRow("u1", "alicia", "Alicia", "h2", ["x"]), await Subject.Accounts.FindByIdAsync("u1", Cancellation));
        Assert.Null(await Subject.Accounts.FindByNameAsync("alice", Cancellation));
        await Subject.Accounts.SaveAsync(new AccountRow("u2", "ALICE", "Other", "h", []), Cancellation);
        Assert.Equal(["u2", "u1"], (await Subject.Accounts.ListAsync(Cancellation)).Select(a => a.UserId));
    }

    [Fact]
    public async Task A_user_name_belongs_to_one_account()
    {
        await Subject.Accounts.SaveAsync(new AccountRow("u1", "alice", "Alice", "h", []), Cancellation);
        await Subject.Accounts.SaveAsync(new AccountRow("u2", "bob", "Bob", "h", []), Cancellation);
        foreach (var thief in new[] { new AccountRow("u3", "ALICE", "Mallory", "h", []), new AccountRow("u2", "Alice", "Bob", "h", []) })
        {
            var error = await Assert.ThrowsAsync<DunlinException>(async () => await Subject.Accounts.SaveAsync(thief, Cancellation));
            Assert.Equal(ErrorCode.Conflict, error.Code);
        }
        Assert.Equal("u1", (await Subject.Accounts.FindByNameAsync("alice", Cancellation))!.UserId);
        Assert.Equal("bob", (await Subject.Accounts.FindByIdAsync("u2", Cancellation))!.Username);
    }

    [Fact]
    public async Task A_session_is_kept_until_it_is_removed()
    {
        var session = new SessionRow("s1", "u1", "hash", Noon.AddTicks(7), Noon.AddHours(1), "");
        await Subject.Sessions.AddAsync(session, Cancellation);
        Assert.Equal(session, await Subject.Sessions.FindAsync("s1", Cancellation));
        var again = await Assert.ThrowsAsync<DunlinException>(async () =>
            await Subject.Sessions.AddAsync(session with { UserId = "u2" }, Cancellation)
        );
        Assert.Equal(ErrorCode.Conflict, again.Code);
        await Subject.Sessions.RemoveAsync(new EndedSession("u1", "s1", "signed_out"), Cancellation);
        await Subject.Sessions.RemoveAsync(new EndedSession("u1", "s1", "signed_out"), Cancellation);
        Assert.Null(await Subject.Sessions.FindAsync("s1", Cancellation));
    }

    [Fact]
    public async Task Expired_sessions_are_not_listed_and_are_forgotten_when_asked()
    {
        await Subject.Sessions.AddAsync(new SessionRow("young", "u1", "h", Noon.AddMinutes(1), Noon.AddHours(2), "Firefox"), Cancellation);
        await Subject.Sessions.AddAsync(new SessionRow("old", "u1", "h", Noon, Noon.AddHours(1), "Chromium"), Cancellation);
        Assert.Equal(["old", "young"], await ListAsync(Noon));
        Assert.Equal(["young"], await ListAsync(Noon.AddHours(1)));
        await Subject.Sessions.ForgetExpiredAsync(Noon.AddHours(1), Cancellation);
        Assert.NotNull(await Subject.Sessions.FindAsync("old", Cancellation));
        await Subject.Sessions.ForgetExpiredAsync(Noon.AddHours(1).AddTicks(1), Cancellation);
        Assert.Null(await Subject.Sessions.FindAsync("old", Cancellation));
        Assert.NotNull(await Subject.Sessions.FindAsync("young", Cancellation));
    }

    [Fact]
    public async Task The_stamps_of_accounts_and_sessions_are_kept_and_are_empty_by_default()
    {
        var account = new AccountRow("u1", "alice", "Alice", "h", []) { SecurityStamp = "s-1" };
        await Subject.Accounts.SaveAsync(account, Cancellation);
        AssertSame(account, await Subject.Accounts.FindByIdAsync("u1", Cancellation));
        await Subject.Accounts.SaveAsync(account with { SecurityStamp = "s-2" }, Cancellation);
        Assert.Equal("s-2", Assert.Single(await Subject.Accounts.ListAsync(Cancellation)).SecurityStamp);
        await Subject.Accounts.SaveAsync(new AccountRow("u2", "bob", "Bob", "h", []), Cancellation);
        Assert.Equal("", (await Subject.Accounts.FindByNameAsync("bob", Cancellation))!.SecurityStamp);

        var session = new SessionRow("s1", "u1", "hash", Noon, Noon.AddHours(1), "") { SecurityStamp = "s-2" };
        await Subject.Sessions.AddAsync(session, Cancellation);
        Assert.Equal(session, await Subject.Sessions.FindAsync("s1", Cancellation));
        Assert.Equal(session, Assert.Single(await Subject.Sessions.ListAsync(Noon, Cancellation)));
    }

    [Fact]
    public async Task Saving_an_old_version_of_an_account_changes_nothing()
    {
        var first = new AccountRow("u1", "alice", "Alice", "h1", []) { Version = 0 };
        Assert.True(await Subject.Accounts.SaveAsync(first, Cancellation));
        Assert.False(await Subject.Accounts.SaveAsync(first with { FullName = "Mallory" }, Cancellation));
        var read = (await Subject.Accounts.FindByIdAsync("u1", Cancellation))!;
        Assert.True(await Subject.Accounts.SaveAsync(read with { PasswordHash = "h2" }, Cancellation));
        Assert.False(await Subject.Accounts.SaveAsync(read with { Roles = ["admin"] }, Cancellation));
        AssertSame(first with { PasswordHash = "h2" }, await Subject.Accounts.FindByIdAsync("u1", Cancellation));
        Assert.True(await Subject.Accounts.SaveAsync(first with { Version = null, Roles = ["user"] }, Cancellation));
        AssertSame(first with { Roles = ["user"] }, await Subject.Accounts.FindByIdAsync("u1", Cancellation));
    }

    [Fact]
    public async Task Of_concurrent_saves_of_one_version_one_succeeds()
    {
        await Subject.Accounts.SaveAsync(new AccountRow("u1", "alice", "Alice", "h", []), Cancellation);
        var read = (await Subject.Accounts.FindByIdAsync("u1", Cancellation))!;
        var saved = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i => Task.Run(async () => await Subject.Accounts.SaveAsync(read with { PasswordHash = $"h{i}" }, Cancellation)))
        );
        Assert.Single(saved, done => done);
    }

    [Fact]
    public async Task Failures_are_replaced_only_where_they_are_the_expected_ones()
    {
        var first = new SignInFailures(1, Noon.AddTicks(3), Noon, HasAccount: true);
        Assert.Equal(SignInFailures.None, await Subject.Accounts.FindFailuresAsync("a", Cancellation));
        Assert.False(await Subject.Accounts.TryReplaceFailuresAsync("a", first, first with { Count = 2 }, Cancellation));
        Assert.True(await Subject.Accounts.TryReplaceFailuresAsync("a", SignInFailures.None, first, Cancellation));
        Assert.False(await Subject.Accounts.TryReplaceFailuresAsync("a", SignInFailures.None, first, Cancellation));
        Assert.Equal(first, await Subject.Accounts.FindFailuresAsync("a", Cancellation));
        var second = new SignInFailures(2, Noon.AddSeconds(1), DateTimeOffset.MaxValue, HasAccount: true);
        foreach (
            var other in new[] { first with { Count = 2 }, first with { LastAt = Noon }, first with { LockedUntil = Noon.AddTicks(1) } }
        )
            Assert.False(await Subject.Accounts.TryReplaceFailuresAsync("a", other, second, Cancellation));
        Assert.True(await Subject.Accounts.TryReplaceFailuresAsync("a", first, second, Cancellation));
        Assert.Equal(second, await Subject.Accounts.FindFailuresAsync("a", Cancellation));
        Assert.Equal(SignInFailures.None, await Subject.Accounts.FindFailuresAsync("A", Cancellation));
        await Subject.Accounts.ClearFailuresAsync("a", Cancellation);
        await Subject.Accounts.ClearFailuresAsync("a", Cancellation);
        Assert.Equal(SignInFailures.None, await Subject.Accounts.FindFailuresAsync("a", Cancellation));
    }

    [Fact]
    public async Task Of_failures_that_are_counted_at_once_none_is_lost()
    {
        const int Failures = 40;
        using var start = new Barrier(4);
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        start.SignalAndWait(Cancellation);
                        for (var i = 0; i < Failures / 4; i++)
                            await CountAsync();
                    })
                )
        );
        Assert.Equal(Failures, (await Subject.Accounts.FindFailuresAsync("a", Cancellation)).Count);

        async Task CountAsync()
        {
            SignInFailures was;
            do was = await Subject.Accounts.FindFailuresAsync("a", Cancellation);
            while (
                !await Subject.Accounts.TryReplaceFailuresAsync("a", was, was with { Count = was.Count + 1, LastAt = Noon }, Cancellation)
            );
        }
    }

    [Fact]
    public async Task Old_failures_are_forgotten_and_those_without_an_account_are_bounded()
    {
        await AddAsync("old", Noon.AddTicks(-1), Noon.AddTicks(-1), hasAccount: true);
        await AddAsync("locked", Noon.AddTicks(-1), Noon, hasAccount: true);
        await AddAsync("recent", Noon, Noon.AddDays(-1), hasAccount: true);
        for (var i = 0; i < 4; i++)
            await AddAsync($"name{i}", Noon.AddSeconds(i), Noon, hasAccount: false);

        await Subject.Accounts.ForgetFailuresAsync(Noon, 3, Cancellation);

        Assert.Equal(
            ["locked", "recent", "name1", "name2", "name3"],
            await KeptAsync("old", "locked", "recent", "name0", "name1", "name2", "name3")
        );

        async Task AddAsync(string subject, DateTimeOffset last, DateTimeOffset until, bool hasAccount) =>
            Assert.True(
                await Subject.Accounts.TryReplaceFailuresAsync(
                    subject,
                    SignInFailures.None,
                    new SignInFailures(1, last, until, hasAccount),
                    Cancellation
                )
            );

        async Task<List<string>> KeptAsync(params string[] subjects)
        {
            var kept = new List<string>();
            foreach (var subject in subjects)
            {
                if (await Subject.Accounts.FindFailuresAsync(subject, Cancellation) != SignInFailures.None)
                    kept.Add(subject);
            }
            return kept;
        }
    }

    private static void AssertSame(AccountRow expected, AccountRow? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Roles, actual.Roles);
        Assert.Equal(expected with { Roles = [], Version = null }, actual with { Roles = [], Version = null });
    }

    private async Task<List<string>> ListAsync(DateTimeOffset now) =>
        [.. (await Subject.Sessions.ListAsync(now, Cancellation)).Select(s => s.SessionId)];
}
