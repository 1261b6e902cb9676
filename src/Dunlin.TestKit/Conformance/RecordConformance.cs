using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;

namespace Dunlin.TestKit.Conformance;

/// <summary>Specifies the required behaviour of each store with records: <see cref="IRecordTable"/>, <see cref="ISpaceAccessTable"/>, and
/// the reader and writer on top of them.</summary>
public abstract class RecordConformance : ConformanceSuite
{
    private static readonly SpaceName A = SpaceName.Parse("lists/a");
    private static readonly SpaceName B = SpaceName.Parse("lists/b");

    /// <summary>Checks that a row is read with the values that were saved.</summary>
    [Fact]
    public async Task A_row_is_read_as_it_was_saved()
    {
        var row = new RecordRow(A, "task/ü\U0001F600")
        {
            Version = long.MaxValue - 1,
            Created = 7,
            DeletedAt = new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567),
            Audience = "ann",
            Value = "{\"a\":1}"u8.ToArray(),
        };
        await Store.WriteAsync(async (unit, ct) => await unit.RecordTables().Records.SaveAsync(row, ct), Cancellation);
        var read = await Store.ReadAsync((scope, ct) => scope.RecordTables().Records.FindAsync(A, row.Key, ct), Cancellation);
        Assert.Equal(row with { Value = default }, read! with { Value = default });
        Assert.Equal("{\"a\":1}", Encoding.UTF8.GetString(read.Value.Span));
        Assert.Null(await Store.ReadAsync((scope, ct) => scope.RecordTables().Records.FindAsync(B, row.Key, ct), Cancellation));
    }

    /// <summary>Checks that a change and its event commit together and share a position.</summary>
    [Fact]
    public async Task A_change_and_its_event_commit_together_and_share_the_position()
    {
        var row = await WriteAsync(records => records.PutAsync(A, "k", 1));
        Assert.Equal(Journal.Head.Offset, row.Version);
        var entry = Assert.Single(await ReadAllAsync(0, "records/lists/a"));
        Assert.Equal((row.Version, RecordWriter.PutEvent), (entry.Position.Offset, entry.Type));
        await Assert.ThrowsAsync<FormatException>(() =>
            WriteAsync<int>(async records =>
            {
                await records.PutAsync(A, "k", 2);
                await records.GrantAsync(A, "ann");
                throw new FormatException();
            })
        );
        Assert.Equal(row.Version, Journal.Head.Offset);
        Assert.Empty(await ChangesAsync("ann", 0));
    }

    /// <summary>Checks that writing the current value of a record changes nothing.</summary>
    [Fact]
    public async Task The_value_a_record_has_already_changes_nothing()
    {
        var first = await WriteAsync(records => records.PutAsync(A, "k", 1));
        Assert.Equal(first.Version, (await WriteAsync(records => records.PutAsync(A, "k", 1))).Version);
        Assert.NotEqual(first.Version, (await WriteAsync(records => records.PutAsync(A, "k", 2))).Version);
        Assert.False(await WriteAsync(records => records.DeleteAsync(A, "nothing")));
    }

    /// <summary>Checks that the count of a space excludes deleted records, and includes changes of the same unit.</summary>
    [Fact]
    public async Task The_count_of_a_space_excludes_deleted_and_includes_uncommitted_records()
    {
        await WriteAsync(async records =>
        {
            Assert.Equal(0, await records.CountAsync(A));
            foreach (var key in new[] { "1", "2", "3", "3" })
                await records.PutAsync(A, key, 1);
            await records.PutAsync(A, "2", 2);
            await records.PutAsync(B, "1", 1);
            Assert.Equal(3, await records.CountAsync(A));
            return await records.DeleteAsync(A, "1");
        });
        await WriteAsync(async records =>
        {
            Assert.Equal(2, await records.CountAsync(A));
            Assert.False(await records.DeleteAsync(A, "1"));
            await records.PutAsync(A, "1", 1);
            Assert.Equal(3, await records.CountAsync(A));
            return await records.DeleteAsync(A, "2");
        });
        Assert.Equal((2, 1), await WriteAsync(async records => (await records.CountAsync(A), await records.CountAsync(B))));
    }

    /// <summary>Checks that a reader receives the changes since a version, with deletions marked.</summary>
    [Fact]
    public async Task Changes_are_told_since_a_version_and_deletions_as_such()
    {
        await WriteAsync(records => records.GrantAsync(A, "ann"));
        await WriteAsync(records => records.PutAsync(A, "1", 1));
        var before = (await WriteAsync(records => records.PutAsync(A, "2", 2))).Version;
        Assert.Equal(["+1", "+2"], await ChangesAsync("ann", 0));
        Assert.Empty(await ChangesAsync("ann", before));
        await WriteAsync(records => records.DeleteAsync(A, "1"));
        await WriteAsync(records => records.PutAsync(A, "3", 3));
        Assert.Equal(["-1", "+3"], await ChangesAsync("ann", before));
        Assert.Equal(["+2", "+3"], await ChangesAsync("ann", 0));
        await WriteAsync(records => records.PutAsync(A, "1", 4));
        Assert.Equal(["+3", "+1"], await ChangesAsync("ann", before));
    }

    /// <summary>Checks that a user without access receives no change of a space.</summary>
    [Fact]
    public async Task Nobody_is_told_of_a_space_without_access_to_it()
    {
        await WriteAsync(records => records.PutAsync(A, "1", 1));
        await WriteAsync(records => records.GrantAsync(B, "ann"));
        Assert.Empty(await ChangesAsync("ann", 0));
        Assert.Empty(await ChangesAsync("bob", 0));
    }

    /// <summary>Checks that granted access returns all records of a space, and that revoked access returns deletions to that user
    /// only.</summary>
    [Fact]
    public async Task A_grant_returns_a_whole_space_and_a_revocation_deletes_it_for_one_user()
    {
        foreach (var key in new[] { "1", "2", "3" })
            await WriteAsync(records => records.PutAsync(A, key, key));
        await WriteAsync(records => records.GrantAsync(A, "bob"));
        var empty = Journal.Head.Offset;
        await WriteAsync(records => records.GrantAsync(A, "ann"));
        Assert.Equal(["+1", "+2", "+3"], await ChangesAsync("ann", empty));
        var full = Journal.Head.Offset;
        await WriteAsync(records => records.DeleteAsync(A, "2"));
        Assert.True(await WriteAsync(records => records.RevokeAsync(A, "ann")));
        Assert.False(await WriteAsync(records => records.RevokeAsync(A, "ann")));
        await WriteAsync(records => records.PutAsync(A, "later", 1));
        // Ann receives a deletion of each record that she could see, and no later change.
        Assert.Equal(["-1", "-2", "-3"], (await ChangesAsync("ann", full)).Order(StringComparer.Ordinal));
        Assert.Equal(["-2", "+later"], await ChangesAsync("bob", full));
        Assert.Empty(await ChangesAsync("ann", Journal.Head.Offset));
        Assert.Empty(await ChangesAsync("ann", 0));
    }

    /// <summary>Checks that a revocation announces changed rights in its transaction, and that a grant does not.</summary>
    [Fact]
    public async Task G4_Revoking_spaces_announces_changed_rights_once_and_granting_does_not()
    {
        await WriteAsync(async records => await records.GrantAsync(A, "ann") && await records.GrantAsync(B, "ann"));
        Assert.Empty(await ReadAllAsync(0, "dunlin/access"));
        await WriteAsync(async records => await records.RevokeAsync(A, "ann") && await records.RevokeAsync(B, "ann"));
        Assert.Equal("rights.changed", Assert.Single(await ReadAllAsync(0, "dunlin/access")).Type);
    }

    /// <summary>Checks that access that was revoked and granted again leaves no stale record.</summary>
    [Fact]
    public async Task A_space_that_was_taken_and_given_again_leaves_nothing_stale()
    {
        await WriteAsync(records => records.GrantAsync(A, "ann"));
        foreach (var key in new[] { "1", "2" })
            await WriteAsync(records => records.PutAsync(A, key, key));
        var known = Journal.Head.Offset;
        await WriteAsync(records => records.RevokeAsync(A, "ann"));
        await WriteAsync(records => records.DeleteAsync(A, "1"));
        await WriteAsync(records => records.PutAsync(A, "3", 3));
        await WriteAsync(records => records.GrantAsync(A, "ann"));
        Assert.Equal(["+2", "-1", "+3"], await ChangesAsync("ann", known));
    }

    /// <summary>Checks that a record with an audience stays visible to that user only.</summary>
    [Fact]
    public async Task A_record_for_one_user_is_seen_by_that_user_alone_and_stays_so()
    {
        foreach (var user in new[] { "ann", "bob" })
            await WriteAsync(records => records.GrantAsync(A, user));
        await WriteAsync(records => records.PutAsync(A, "secret", 1, "ann"));
        await WriteAsync(records => records.PutAsync(A, "open", 1));
        Assert.Equal(["+secret", "+open"], await ChangesAsync("ann", 0));
        Assert.Equal(["+open"], await ChangesAsync("bob", 0));
        await Assert.ThrowsAsync<DunlinException>(() => WriteAsync(records => records.PutAsync(A, "secret", 2)));
        var before = Journal.Head.Offset;
        await WriteAsync(records => records.DeleteAsync(A, "secret"));
        Assert.Equal(["-secret"], await ChangesAsync("ann", before));
        Assert.Empty(await ChangesAsync("bob", before));
    }

    /// <summary>Checks that pages are filled with visible records, and that only the last one is short.</summary>
    [Fact]
    public async Task Pages_are_filled_after_permissions_and_end_with_a_short_one()
    {
        foreach (var space in new[] { A, B })
            await WriteAsync(records => records.GrantAsync(space, "ann"));
        for (var i = 0; i < 60; i++)
        {
            var (space, audience) = (i % 2 == 0 ? A : B, i % 3 == 0 ? "bob" : null);
            await WriteAsync(records => records.PutAsync(space, $"item/{i:00}", i, audience));
        }
        await WriteAsync(records => records.PutAsync(A, "other", 1));
        var (after, keys, pages) = (0L, new List<string>(), new List<int>());
        while (true)
        {
            var page = await PageAsync("ann", after, "item/", 10);
            keys.AddRange(page.Changes.Select(c => c.Key));
            pages.Add(page.Changes.Count);
            after = page.Through;
            if (!page.HasMore)
                break;
        }
        Assert.Equal([10, 10, 10, 10], pages);
        Assert.Equal(Enumerable.Range(0, 60).Where(i => i % 3 != 0).Select(i => $"item/{i:00}"), keys);
        Assert.Empty((await PageAsync("ann", after, "item/", 10)).Changes);
    }

    /// <summary>Checks that a page includes all changes of a position, even beyond its limit.</summary>
    [Fact]
    public async Task A_page_never_tears_apart_what_shares_a_position()
    {
        for (var i = 0; i < 25; i++)
            await WriteAsync(records => records.PutAsync(A, $"{i:00}", i));
        await WriteAsync(records => records.GrantAsync(A, "ann"));
        await WriteAsync(records => records.PutAsync(A, "99", 1));
        var page = await PageAsync("ann", 0, null, 10);
        Assert.Equal(25, page.Changes.Count);
        Assert.True(page.HasMore);
        Assert.Equal(["99"], (await PageAsync("ann", page.Through, null, 10)).Changes.Select(c => c.Key));
    }

    /// <summary>Checks that a reader cannot continue from a version before a deletion that retention has removed.</summary>
    [Fact]
    public async Task What_is_forgotten_is_remembered_as_a_version_one_cannot_continue_from()
    {
        await WriteAsync(records => records.GrantAsync(A, "ann"));
        await WriteAsync(records => records.GrantAsync(A, "bob"));
        await WriteAsync(records => records.PutAsync(A, "old", 1));
        await WriteAsync(records => records.PutAsync(A, "stays", 1));
        var known = Journal.Head.Offset;
        await WriteAsync(records => records.DeleteAsync(A, "old"));
        await WriteAsync(records => records.RevokeAsync(A, "bob"));
        var through = Journal.Head.Offset;
        Time.Advance(TimeSpan.FromDays(2));
        await WriteAsync(records => records.PutAsync(A, "young", 1));
        await WriteAsync(records => records.DeleteAsync(A, "young"));
        await Store.WriteAsync(
            async (unit, ct) => await unit.RecordTables().Records.ForgetAsync(unit.Now - TimeSpan.FromDays(1), ct),
            Cancellation
        );
        Assert.False(await CanContinueAsync(known));
        Assert.True(await CanContinueAsync(through));
        Assert.True(await CanContinueAsync(0));
        Assert.Equal(["+stays"], await ChangesAsync("ann", 0));
        Assert.Equal(["-young"], await ChangesAsync("ann", through));
    }

    /// <summary>Checks that the affected users are all users who can see a change.</summary>
    [Fact]
    public async Task Those_affected_are_all_who_see_a_change()
    {
        foreach (var user in new[] { "ann", "bob", "carol" })
            await WriteAsync(records => records.GrantAsync(A, user));
        await WriteAsync(records => records.RevokeAsync(A, "carol"));
        var users = await WriteAsync(async records =>
        {
            await records.PutAsync(A, "1", 1);
            await records.PutAsync(B, "2", 2, "dave");
            await records.GrantAsync(B, "erin");
            return await records.AffectedUsersAsync();
        });
        Assert.Equal(["ann", "bob", "dave", "erin"], users.Order(StringComparer.Ordinal));
    }

    /// <summary>Checks that the writer reports changed records and users with changed access at the end of the unit.</summary>
    [Fact]
    public async Task What_was_changed_and_whose_access_is_known_at_the_end_of_the_unit()
    {
        await WriteAsync(async records =>
        {
            await records.GrantAsync(A, "ann");
            await records.PutAsync(A, "same", 1);
            return await records.PutAsync(A, "gone", 1);
        });
        var told = await WriteAsync(async records =>
        {
            await records.PutAsync(A, "same", 1);
            await records.PutAsync(A, "twice", 1);
            await records.PutAsync(A, "twice", 2);
            await records.PutAsync(B, "own", 1, "bob");
            await records.DeleteAsync(A, "gone");
            await records.GrantAsync(A, "ann");
            await records.GrantAsync(B, "bob");
            await records.RevokeAsync(A, "ann");
            return (Rows: records.Changed.ToList(), Users: records.UsersWithChangedAccess.Order(StringComparer.Ordinal).ToList());
        });
        var rows = told
            .Rows.OrderBy(row => row.Key, StringComparer.Ordinal)
            .Select(row => $"{row.Space} {row.Key} {Encoding.UTF8.GetString(row.Value.Span)} {row.IsDeleted} {row.Audience}");
        Assert.Equal(["lists/a gone  True ", "lists/b own 1 False bob", "lists/a twice 2 False "], rows);
        Assert.Equal(["ann", "bob"], told.Users);
        // The rows are equal to the stored ones.
        foreach (var row in told.Rows)
        {
            var stored = await Store.ReadAsync((scope, ct) => scope.RecordTables().Records.FindAsync(row.Space, row.Key, ct), Cancellation);
            Assert.Equal(row.Version, stored!.Version);
        }
    }

    /// <summary>Checks that invalid keys are refused.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("a\n")]
    [InlineData("\ud800")]
    public async Task A_key_that_is_none_is_refused(string key) =>
        Assert.Equal("key", (await Assert.ThrowsAsync<DunlinException>(() => WriteAsync(records => records.PutAsync(A, key, 1)))).Field);

    /// <summary>Checks that values that are too large or not JSON are refused.</summary>
    [Fact]
    public async Task A_value_that_is_too_large_or_no_json_is_refused()
    {
        Assert.Equal(
            ErrorCode.TooLarge,
            (
                await Assert.ThrowsAsync<DunlinException>(() =>
                    WriteAsync(records => records.PutAsync(A, "k", new string('x', RecordLimits.MaxValueBytes)))
                )
            ).Code
        );
        foreach (var text in new[] { "", "{", "1 2", "{\"a\":}" })
        {
            Assert.Equal(
                ErrorCode.InvalidJson,
                (
                    await Assert.ThrowsAsync<DunlinException>(() =>
                        WriteAsync(records => records.PutJsonAsync(A, "k", Encoding.UTF8.GetBytes(text)))
                    )
                ).Code
            );
        }
    }

    /// <summary>Checks that a read scope refuses changes, and is unusable after its end.</summary>
    [Fact]
    public async Task A_read_scope_changes_nothing_and_is_of_no_use_after_its_end()
    {
        var tables = await Store.ReadAsync(
            async (scope, ct) =>
            {
                var tables = scope.RecordTables();
                await Assert.ThrowsAsync<InvalidOperationException>(async () => await tables.Records.SaveAsync(new RecordRow(A, "k"), ct));
                await Assert.ThrowsAsync<InvalidOperationException>(async () =>
                    await tables.Access.SaveAsync(new SpaceAccess(A, "ann", 1, null), ct)
                );
                return tables;
            },
            Cancellation
        );
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await tables.Records.FindAsync(A, "k", Cancellation));
    }

    /// <summary>Checks that clients that apply all pages during concurrent changes end with the stored records.</summary>
    [Fact]
    public async Task A_client_that_applies_every_page_converges_under_concurrent_changes()
    {
        TestSeed.NewRandom(out var seed);
        SpaceName[] spaces = [A, B, SpaceName.Parse("lists/c")];
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(reader => Task.Run(() => FollowAsync(reader, done.Token))).ToList();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() => ChangeRandomlyAsync(new Random(seed + writer), spaces))));
        await done.CancelAsync();
        var expected = (await ChangesAsync("u", 0)).Order(StringComparer.Ordinal).ToList();
        foreach (var view in await Task.WhenAll(readers))
            Assert.Equal(expected, view.Select(key => "+" + key).Order(StringComparer.Ordinal));
    }

    private async Task ChangeRandomlyAsync(Random random, SpaceName[] spaces)
    {
        for (var i = 0; i < 80; i++)
        {
            var (space, key, dice) = (spaces[random.Next(spaces.Length)], random.Next(12), random.Next(10));
            await WriteAsync<bool>(async records =>
                dice switch
                {
                    0 => await records.GrantAsync(space, "u"),
                    1 => await records.RevokeAsync(space, "u"),
                    < 5 => await records.DeleteAsync(space, $"{space}/{key}"),
                    _ => (await records.PutAsync(space, $"{space}/{key}", random.Next())).Version > 0,
                }
            );
        }
    }

    // One reader reads page by page, the others read all changes at once.
    private async Task<HashSet<string>> FollowAsync(int reader, CancellationToken done)
    {
        var (after, view) = (0L, new HashSet<string>(StringComparer.Ordinal));
        while (true)
        {
            var isLast = done.IsCancellationRequested;
            var changes = new List<RecordChange>();
            var hasMore = false;
            after = await Store.ReadAsync(
                async (scope, ct) =>
                {
                    if (reader > 0)
                        return await scope.Records("u").ReadAllAsync(after, changes.Add, ct);
                    var page = await scope.Records("u").ReadPageAsync(after, null, 3, ct);
                    changes.AddRange(page.Changes);
                    hasMore = page.HasMore;
                    return page.Through;
                },
                Cancellation
            );
            foreach (var change in changes.OrderByDescending(change => change.IsGone))
                _ = change.IsGone ? view.Remove(change.Key) : view.Add(change.Key);
            if (isLast && !hasMore)
                return view;
        }
    }

    private async Task<T> WriteAsync<T>(Func<RecordWriter, ValueTask<T>> work) =>
        await Store.WriteAsync((unit, _) => work(unit.Records()), Cancellation);

    private async Task<List<string>> ChangesAsync(string user, long after)
    {
        var changes = new List<string>();
        await Store.ReadAsync(
            (scope, ct) => scope.Records(user).ReadAllAsync(after, change => changes.Add((change.IsGone ? "-" : "+") + change.Key), ct),
            Cancellation
        );
        return changes;
    }

    private async Task<RecordPage> PageAsync(string user, long after, string? prefix, int limit) =>
        await Store.ReadAsync((scope, ct) => scope.Records(user).ReadPageAsync(after, prefix, limit, ct), Cancellation);

    private async Task<bool> CanContinueAsync(long after) =>
        await Store.ReadAsync((scope, ct) => scope.Records("ann").CanContinueAsync(after, ct), Cancellation);
}
