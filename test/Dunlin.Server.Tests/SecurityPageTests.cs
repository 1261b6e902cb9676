using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary>The table of limits in SECURITY.md names existing options with their defaults.</summary>
[Trait("Store", "own")]
public sealed class SecurityPageTests
{
    private static readonly string Table = Section(Repository.Read("SECURITY.md"));

    /// <summary>Options that limit one user. A new one must be added to the table.</summary>
    private static readonly string[] Bounding =
    [
        "EventStreamOptions.MaxPerUser",
        "EventStreamOptions.MaxTopics",
        "PublishOptions.PerSecond",
        "PublishOptions.TopicsPerHour",
        "PublishOptions.KeysPerHour",
        "LeaseOptions.MaxPerUser",
        "LeaseOptions.RequestsPerSecond",
        "LeaseOptions.MaxWaitersPerUser",
        "ReplicacheOptions.MaxMutations",
        "ReplicacheOptions.PushLimit",
        "ReplicacheOptions.MutationsPerSecond",
        "ReplicacheOptions.ClientsPerHour",
        "RxDbOptions.MaxPushRows",
        "RxDbOptions.RowsPerSecond",
    ];

    [Fact]
    public void Every_limit_equals_the_default_of_its_option()
    {
        var types = ConfigurationPageTests.Classes().Select(row => row.Data).ToDictionary(type => type.Name, StringComparer.Ordinal);
        var rows = Regex
            .Matches(
                Table,
                @"^\| (?<thing>[^|]+) \| (?<limit>[^|]+) \| `(?<type>\w+)\.(?<option>\w+)` \| (?<answer>[^|]+) \|$",
                RegexOptions.Multiline
            )
            .ToList();
        Assert.True(rows.Count >= 25, $"{rows.Count} rows");
        foreach (var row in rows)
        {
            if (!types.TryGetValue(row.Groups["type"].Value, out var type))
                continue; // an application's option, tested there
            var property = type.GetProperty(row.Groups["option"].Value);
            Assert.True(property is not null, $"{row.Value}: there is no such option.");
            var value = Convert.ToString(property.GetValue(Activator.CreateInstance(type)), CultureInfo.InvariantCulture);
            Assert.True(value == row.Groups["limit"].Value.Trim(), $"{row.Value}: the default is {value}.");
        }
        var named = rows.Select(row => $"{row.Groups["type"].Value}.{row.Groups["option"].Value}").ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(Bounding, option => !named.Contains(option));
    }

    [Fact]
    public void Every_row_names_the_answer_at_the_limit()
    {
        foreach (var line in Table.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1))
            Assert.Matches(@"^\| [^|]+ \| [^|]+ \| [^|]+ \| .*(4\d\d|stream|row).* \|$", line);
    }

    private static string Section(string page)
    {
        const string heading = "## What one user can make the server keep or do";
        var begin = page.IndexOf(heading, StringComparison.Ordinal);
        Assert.True(begin >= 0, $"SECURITY.md has no '{heading}'.");
        return page[begin..page.IndexOf("\n## ", begin + 1, StringComparison.Ordinal)];
    }
}
