using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Dunlin.Server.Commands;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests.Commands;

/// <summary><c>docs/reference/command-line.md</c> and the tree of commands name the same things.</summary>
[Trait("Store", "own")]
public sealed partial class CommandLinePageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "reference", "command-line.md"));

    public static TheoryData<string> Paths => [.. All(CommandLine.Root, "").Select(command => command.Path)];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Each_command_has_a_section_with_its_options_and_an_example(string path)
    {
        var command = All(CommandLine.Root, "").Single(command => command.Path == path).Command;
        var section = Section(path);
        var common = Section("All commands");
        foreach (var option in command.Options.Where(option => option.Name is not "--help" and not "--version"))
            Assert.True(
                section.Contains($"`{option.Name}`", StringComparison.Ordinal)
                    || (option.Name is "--server" or "--token" && common.Contains($"`{option.Name}`", StringComparison.Ordinal)),
                $"{path} {option.Name} is not documented."
            );
        foreach (var argument in command.Arguments)
            Assert.Contains($"`{argument.Name}`", section, StringComparison.Ordinal);
        // A command with subcommands alone has its examples there.
        if (command.Action is not null)
            Assert.Contains($"dunlin {path}", section, StringComparison.Ordinal);
        Assert.NotEmpty(command.Description!);
        Assert.All(command.Options, option => Assert.NotEmpty(option.Description!));
    }

    [Fact]
    public void Each_documented_command_and_option_exists()
    {
        var commands = All(CommandLine.Root, "").ToDictionary(command => command.Path, command => command.Command, StringComparer.Ordinal);
        var sections = Headings().Matches(Page).Select(heading => heading.Groups["name"].Value).ToList();
        Assert.Empty(sections.Where(name => char.IsLower(name[0])).Except(commands.Keys, StringComparer.Ordinal));
        var global = CommandLine.Root.Options.Select(option => option.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var path in sections.Where(commands.ContainsKey))
        {
            var known = commands[path].Options.Select(option => option.Name).Concat(global).ToHashSet(StringComparer.Ordinal);
            foreach (Match row in Rows().Matches(Section(path)))
            foreach (Match option in Options().Matches(row.Groups["cell"].Value))
                Assert.True(known.Contains(option.Value), $"{path} has no option {option.Value}.");
        }
    }

    [Theory]
    [InlineData(ExitCodes.Ok)]
    [InlineData(ExitCodes.Failed)]
    [InlineData(ExitCodes.Usage)]
    [InlineData(ExitCodes.Unreachable)]
    [InlineData(ExitCodes.Interrupted)]
    public void Each_exit_code_is_documented(int code) => Assert.Contains($"\n| {code} | ", Page, StringComparison.Ordinal);

    [Fact]
    public void Manual_page_lists_all_commands_options_and_exit_codes()
    {
        var manual = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "debian", "dunlin.1"));
        Assert.Equal(All(CommandLine.Root, "").Select(command => command.Path), Terms(manual, "COMMANDS"));
        var options = CommandLine.Root.Options.Select(option => option.Name).Where(name => name is not "--help" and not "--version");
        Assert.Equal(
            options.Concat(["--server", "--token"]).Order(StringComparer.Ordinal),
            Terms(manual, "OPTIONS").Select(term => term.Split(' ')[0]).Order(StringComparer.Ordinal)
        );
        int[] codes = [ExitCodes.Ok, ExitCodes.Failed, ExitCodes.Usage, ExitCodes.Unreachable, ExitCodes.Interrupted];
        Assert.Equal(codes.Select(code => code.ToString(CultureInfo.InvariantCulture)), Terms(manual, "EXIT STATUS"));
    }

    [Fact]
    public void Readme_of_the_server_names_all_commands()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "apps", "server", "README.md"));
        var named = Commands().Matches(readme).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(
            All(CommandLine.Root, "").Select(command => command.Path).Order(StringComparer.Ordinal),
            named.Order(StringComparer.Ordinal)
        );
    }

    /// <summary>Returns the terms of the tagged paragraphs in one section of the manual page.</summary>
    private static List<string> Terms(string manual, string section)
    {
        var text = manual.Split(".SH ").Single(part => part.StartsWith(section + "\n", StringComparison.Ordinal));
        return [.. Tagged().Matches(text).Select(match => match.Groups["term"].Value.Replace(@"\-", "-", StringComparison.Ordinal))];
    }

    private static IEnumerable<(string Path, Command Command)> All(Command parent, string prefix) =>
        parent.Subcommands.SelectMany(command =>
            All(command, $"{prefix}{command.Name} ").Prepend((Path: prefix + command.Name, Command: command))
        );

    /// <summary>Returns the text from a heading to the next one. The section of all commands includes its subsections.</summary>
    private static string Section(string name)
    {
        var heading = Headings().Matches(Page).Single(heading => heading.Groups["name"].Value == name);
        var rest = Page[(heading.Index + heading.Length)..];
        var end = name == "All commands" ? rest.IndexOf("\n## ", StringComparison.Ordinal) : Headings().Match(rest).Index;
        return end > 0 ? rest[..end] : rest;
    }

    [GeneratedRegex("(?m)^##+ (?<name>.+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Headings();

    [GeneratedRegex(@"(?m)^\| (?<cell>`--[^|]+) \|", RegexOptions.ExplicitCapture)]
    private static partial Regex Rows();

    [GeneratedRegex(@"(?m)^\.TP\n\.BI? (?<term>.+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Tagged();

    [GeneratedRegex(@"(?m)^\| `(?<name>[a-z]+)` \||\(`(?<name>[a-z]+ [a-z]+)`\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Commands();

    [GeneratedRegex("--[a-z-]+")]
    private static partial Regex Options();
}
