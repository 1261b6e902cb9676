using System.Text.RegularExpressions;
using Dunlin.TestKit;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Dunlin.Guides.Tests;

/// <summary>docs/guides/what-to-alert-on.md and deploy/prometheus-rules.yaml, held against the metrics, health checks and log events of
/// the code.</summary>
public sealed partial class AlertTests
{
    private static readonly string Page = Repository.Read("docs/guides/what-to-alert-on.md");
    private static readonly List<Dictionary<object, object>> Rules = ReadRules();
    private static readonly string Sources = string.Join(
        '\n',
        new[] { "src", "apps" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(File.ReadAllText)
    );

    /// <summary>The names of the instruments, with their kinds and units.</summary>
    private static readonly List<(string Name, string Kind, string Unit)> Instruments =
    [
        .. Instrument().Matches(Sources).Select(m => (m.Groups["name"].Value, m.Groups["kind"].Value, m.Groups["unit"].Value)),
    ];

    [Fact]
    public void Every_alert_has_an_expression_a_severity_and_a_summary()
    {
        Assert.True(Rules.Count > 10, $"{Rules.Count} alerts");
        foreach (var rule in Rules)
        {
            var name = (string)rule["alert"];
            Assert.False(string.IsNullOrWhiteSpace((string)rule["expr"]), name);
            Assert.Contains(((Dictionary<object, object>)rule["labels"])["severity"], new object[] { "page", "ticket" });
            Assert.True(((Dictionary<object, object>)rule["annotations"]).ContainsKey("summary"), name);
            if (rule.TryGetValue("for", out var period))
                Assert.Matches("^[0-9]+m$", (string)period);
        }
        Assert.Equal(Rules.Count, Rules.Select(rule => rule["alert"]).Distinct().Count());
    }

    [Fact]
    public void Every_metric_of_an_alert_exists_in_the_code()
    {
        var exported = Instruments.SelectMany(ExportedNames).ToHashSet(StringComparer.Ordinal);
        var used = Rules.SelectMany(rule => Metric().Matches((string)rule["expr"]).Select(match => match.Value)).ToList();
        Assert.True(used.Count > 15, $"{used.Count} metrics");
        Assert.Empty(used.Except(exported, StringComparer.Ordinal));
    }

    [Fact]
    public void Attributes_and_values_in_an_alert_exist_in_the_code()
    {
        foreach (var rule in Rules)
        {
            foreach (Match label in Label().Matches((string)rule["expr"]))
            {
                var name = label.Groups["name"].Value;
                if (name is "job" or "http_response_status_code")
                    continue;
                Assert.Contains($"\"{name}\"", Sources, StringComparison.Ordinal);
                foreach (var value in label.Groups["value"].Value.Split('|'))
                    Assert.Contains(value, Sources, StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    [Fact]
    public void The_page_explains_every_alert_and_names_every_metric()
    {
        Assert.Equal(Rules.Select(rule => (string)rule["alert"]), AlertRow().Matches(Page).Select(match => match.Groups["alert"].Value));
        Assert.Empty(Instruments.Where(i => !Page.Contains($"`{i.Name}`", StringComparison.Ordinal)).Select(i => i.Name));
        Assert.Empty(
            InstrumentOnPage()
                .Matches(Page)
                .Select(match => match.Groups[1].Value)
                .Except(Instruments.Select(i => i.Name), StringComparer.Ordinal)
        );
    }

    [Fact]
    public void The_page_names_the_health_checks_and_existing_log_events()
    {
        var checks = Regex.Matches(Sources, "Add<\\w+>\\(\"(dunlin-[a-z]+)\"").Select(match => match.Groups[1].Value);
        Assert.Equal(
            checks,
            Regex.Matches(Page, @"^\| `(?<name>dunlin-[a-z]+)` \|", RegexOptions.Multiline).Select(match => match.Groups["name"].Value)
        );
        var ids = Regex.Matches(Page, @"^\| (?<id>[0-9]{4}) \| (?<level>Critical|Error) \|", RegexOptions.Multiline);
        Assert.NotEmpty(ids);
        foreach (Match id in ids)
            Assert.Matches($@"LoggerMessage\(\s*{id.Groups["id"].Value},\s*LogLevel\.{id.Groups["level"].Value}", Sources);
    }

    // As the exporter for Prometheus names them.
    private static IEnumerable<string> ExportedNames((string Name, string Kind, string Unit) instrument)
    {
        var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "");
        return instrument.Kind switch
        {
            "Counter" => [name + "_total"],
            "Histogram" => [name + "_bucket", name + "_count", name + "_sum"],
            _ => [name],
        };
    }

    private static List<Dictionary<object, object>> ReadRules()
    {
        var text = Repository.Read("deploy/prometheus-rules.yaml");
        var file = new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(new Parser(new StringReader(text)));
        return
        [
            .. ((List<object>)file["groups"])
                .Cast<Dictionary<object, object>>()
                .SelectMany(group => (List<object>)group["rules"])
                .Cast<Dictionary<object, object>>(),
        ];
    }

    [GeneratedRegex(
        @"\.Create(?<kind>Counter|Histogram|UpDownCounter|ObservableGauge)(?:<\w+>)?\(\s*""(?<name>[a-z0-9_.]+)"",\s*(?:\(\)\s=>\s\w+\(\),\s*)?""(?<unit>[^""]+)"""
    )]
    private static partial Regex Instrument();

    [GeneratedRegex(@"\bdunlin_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex("(?<name>[a-z_]+)=~?\"(?<value>[^\"]*)\"")]
    private static partial Regex Label();

    [GeneratedRegex(@"^\| `(?<alert>Dunlin\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex AlertRow();

    [GeneratedRegex(@"`(dunlin\.(?:journal|outbox|fanout|leases|jobs|rxdb|replicache)\.[a-z_.]+)`")]
    private static partial Regex InstrumentOnPage();
}
