using System.Diagnostics;

namespace Dunlin.Sqlite.Tests.Support;

/// <summary>Starts this program as a second process; see <see cref="ChildProgram"/>.</summary>
public static class Child
{
    public static Process Start(params string[] arguments) => StartUnder(null, arguments);

    /// <param name="shellPrefix">Shell commands to run first, such as a limit.</param>
    /// <param name="arguments">Arguments of the child.</param>
    public static Process StartUnder(string? shellPrefix, params string[] arguments)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true, UseShellExecute = false };
        string[] command = ["dotnet", typeof(Child).Assembly.Location, "child", .. arguments];
        if (shellPrefix is not null)
            command = ["sh", "-c", $"{shellPrefix}; exec \"$@\"", "sh", .. command];
        start.FileName = command[0];
        foreach (var argument in command[1..])
            start.ArgumentList.Add(argument);
        // The limit on file sizes would also affect the runtime's mappings.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return Process.Start(start)!;
    }
}
