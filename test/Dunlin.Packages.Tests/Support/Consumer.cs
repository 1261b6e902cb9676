using System.Xml.Linq;
using Dunlin.TestKit;

namespace Dunlin.Packages.Tests.Support;

/// <summary>Project files of a user of the packages.</summary>
internal static class Consumer
{
    /// <summary>Adds the folder <c>packages</c> to the machine's sources.</summary>
    public const string NugetConfig = """
        <configuration>
          <packageSources>
            <add key="dunlin" value="packages" />
          </packageSources>
        </configuration>
        """;

    /// <summary>Returns a web project that references packages: those of Dunlin, and others with the versions of this repository.</summary>
    public static string Project(params IEnumerable<string> packages)
    {
        var references = packages.Select(name => $"""<PackageReference Include="{name}" Version="{VersionOf(name)}" />""");
        return $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NoWarn>CS1998;CS8321;xUnit1051</NoWarn>
              </PropertyGroup>
              <ItemGroup>{string.Concat(references)}</ItemGroup>
            </Project>
            """;
    }

    private static string VersionOf(string name) =>
        name.StartsWith("Dunlin.", StringComparison.Ordinal)
            ? Packed.Version
            : XDocument
                .Load(Path.Combine(Repository.Root, "Directory.Packages.props"))
                .Descendants("PackageVersion")
                .Single(element => element.Attribute("Include")!.Value == name)
                .Attribute("Version")!
                .Value;
}
