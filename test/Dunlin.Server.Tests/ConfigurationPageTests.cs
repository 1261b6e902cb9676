using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary>docs/reference/configuration.md contains every option of every class, with the default and the range in the code.</summary>
[Trait("Store", "own")]
public sealed class ConfigurationPageTests
{
    private static readonly Type[] Roots =
    [
        typeof(IJournal),
        typeof(AccessTokenOptions),
        typeof(Identity.AccountOptions),
        typeof(Inspector.InspectorOptions),
        typeof(Mercure.MercureOptions),
        typeof(DurableStreams.Hosting.DurableStreamOptions),
        typeof(Sqlite.SqliteOptions),
        typeof(Postgres.PostgresOptions),
        typeof(Redis.RedisOptions),
        typeof(Replicache.ReplicacheOptions),
        typeof(RxDb.RxDbOptions),
        typeof(Yjs.YjsOptions),
    ];

    /// <summary>Parts of options that are not options classes themselves.</summary>
    private static readonly Type[] Parts =
    [
        typeof(RetentionRule),
        typeof(TrustedIssuer),
        typeof(Hooks.HookSource),
        typeof(Mercure.MercureIssuer),
    ];

    private static readonly string Page = Repository.Read("docs/reference/configuration.md");

    public static TheoryData<Type> Classes() =>
        [
            .. Roots
                .SelectMany(root => root.Assembly.GetExportedTypes())
                .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
                .Concat(Parts),
        ];

    [Theory]
    [MemberData(nameof(Classes))]
    public void Page_lists_every_option_with_default_and_range(Type type)
    {
        var begin = Page.IndexOf($"\n## {type.Name}\n", StringComparison.Ordinal) + 1;
        var end = Page.IndexOf("\n## ", begin, StringComparison.Ordinal);
        var section =
            begin == 0 ? ""
            : end < 0 ? Page[begin..]
            : Page[begin..end];
        Assert.True(section.Length > 0, $"The page has no section '## {type.Name}'.");
        var rows = Regex
            .Matches(section, @"^\| `(?<name>\w+)` \|(?<default>[^|]*)\|(?<range>[^|]*)\| .+ \|$", RegexOptions.Multiline)
            .Select(row => $"{row.Groups["name"].Value} | {row.Groups["default"].Value.Trim()} | {row.Groups["range"].Value.Trim()}")
            .ToList();
        var options = Activator.CreateInstance(type)!;
        var expected = Properties(type).Select(property => $"{property.Name} | {Default(property, options)} | {Range(property)}");
        Assert.Equal(expected, rows);
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void The_docstring_of_each_option_has_its_default_and_range(Type type)
    {
        var docs = XDocument.Load(Path.ChangeExtension(type.Assembly.Location, ".xml"));
        foreach (var property in Properties(type))
        {
            var member = docs.Descendants("member").Single(m => m.Attribute("name")!.Value == $"P:{type.FullName}.{property.Name}");
            var summary = Regex.Replace(member.Element("summary")!.Value, @"\s+", " ").Trim();
            Assert.True(
                summary.Contains(" default ", StringComparison.OrdinalIgnoreCase)
                    || summary.Contains("Default:", StringComparison.Ordinal)
                    || summary.EndsWith("Required.", StringComparison.Ordinal),
                $"{type.Name}.{property.Name}: end the summary with 'Default: ...', or with 'Required.'. It is: {summary}"
            );
            Assert.True(
                Range(property).Length == 0 || summary.Contains("Range:", StringComparison.Ordinal),
                $"{type.Name}.{property.Name}: end the summary with 'Range: ...'. It is: {summary}"
            );
        }
    }

    [Fact]
    public void Page_names_every_section_with_its_class()
    {
        foreach (var (name, type) in ServerOptions.Sections)
            Assert.Matches($@"(?m)^## {type.Name}\n\n.* Section `{name}`\.$", Page);
        Assert.Equal(ServerOptions.Sections.Count, Regex.Count(Page, "Section `"));
    }

    [Fact]
    public void Page_has_no_section_for_a_removed_class()
    {
        var known = Classes().Select(row => row.Data.Name).Append("The server itself").ToHashSet(StringComparer.Ordinal);
        Assert.All(
            Regex.Matches(Page, "(?m)^## (.+)$").Select(heading => heading.Groups[1].Value),
            heading => Assert.Contains(heading, known)
        );
    }

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .OrderBy(property => property.MetadataToken);

    private static string Default(PropertyInfo property, object options) =>
        property.GetValue(options) switch
        {
            // The page does not repeat the policy.
            string when property.Name == nameof(PageHeaderOptions.ContentSecurityPolicy) => "a policy",
            JsonSerializerOptions json => json == JsonSerializerOptions.Web ? "`JsonSerializerOptions.Web`" : "other options",
            RetentionRule rule => $"`MaxAge` `{rule.MaxAge:c}`",
            string text => text.Length == 0 ? "" : Code(text),
            IEnumerable list => string.Join(", ", list.Cast<object>().Select(Code)),
            var value => Code(value),
        };

    private static string Range(PropertyInfo property)
    {
        var times = property.CustomAttributes.SingleOrDefault(static attribute => attribute.AttributeType.Name == "TimeSpanRangeAttribute");
        if (times is not null)
            return string.Join(
                " to ",
                times.ConstructorArguments.Select(limit => Code(TimeSpan.Parse((string)limit.Value!, CultureInfo.InvariantCulture)))
            );
        if (property.GetCustomAttribute<RangeAttribute>() is not { } range)
            return "";
        var isOpen = range.Maximum is int.MaxValue || range.Maximum is >= (double)long.MaxValue;
        return isOpen ? $"from {Code(range.Minimum)}" : $"{Code(range.Minimum)} to {Code(range.Maximum)}";
    }

    private static string Code(object? value) =>
        value switch
        {
            null => "",
            bool flag => flag ? "`true`" : "`false`",
            TimeSpan time => $"`{time:c}`",
            string text => $"`{text.Replace('\\', '/')}`",
            _ => $"`{Convert.ToString(value, CultureInfo.InvariantCulture)}`",
        };
}
