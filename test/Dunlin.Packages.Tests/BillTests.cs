using System.Text.Json;
using Dunlin.Packages.Tests.Support;

namespace Dunlin.Packages.Tests;

/// <summary>The bills of material.</summary>
public sealed class BillTests
{
    [Fact]
    public async Task Each_package_has_a_bill_with_its_dependencies()
    {
        Assert.Contains(await ComponentsAsync("dunlin"), name => name == "System.CommandLine");
        Assert.Contains(await ComponentsAsync("Dunlin.Sqlite"), name => name == "Microsoft.Data.Sqlite.Core");
        Assert.Empty(await ComponentsAsync("dunlin-client"));
        foreach (var name in Packed.Libraries)
            Assert.NotEmpty(await ComponentsAsync(name));
    }

    [Fact]
    public async Task Bills_name_no_analyzer_and_no_random_number()
    {
        foreach (var name in Packed.Libraries.Append("dunlin"))
        {
            var text = await File.ReadAllTextAsync(Packed.File(name + ".{0}.cdx.json"), TestContext.Current.CancellationToken);
            Assert.DoesNotContain("Meziantou", text, StringComparison.Ordinal);
            Assert.DoesNotContain("serialNumber", text, StringComparison.Ordinal);
        }
    }

    private static async Task<List<string>> ComponentsAsync(string name)
    {
        await using var file = File.OpenRead(Packed.File(name + ".{0}.cdx.json"));
        using var bill = await JsonDocument.ParseAsync(file);
        Assert.Equal("CycloneDX", bill.RootElement.GetProperty("bomFormat").GetString());
        Assert.Equal(Packed.Version, bill.RootElement.GetProperty("metadata").GetProperty("component").GetProperty("version").GetString());
        return bill.RootElement.TryGetProperty("components", out var components)
            ? [.. components.EnumerateArray().Select(component => component.GetProperty("name").GetString()!)]
            : [];
    }
}
